public import Telemetry

extension Settings {
    /// A JSON Schema (draft 2020-12) of the settings file, from the declarations that the reader and the reference are
    /// made of. It accepts more than the reader does: what depends on other values, or on their grammar, is not in it.
    public static func writeJSONSchema(to json: inout JSONWriter) {
        json.beginObject()
        json.field("$schema", "https://json-schema.org/draft/2020-12/schema")
        json.field("title", "Settings of Postern")
        write(RootKeys.section.declarations, to: &json)
        json.endObject()
    }

    /// The members of a mapping's schema.
    private static func write(_ declarations: [Declaration], to json: inout JSONWriter) {
        json.field("type", "object")
        json.field("additionalProperties", false)
        json.beginObject("properties")
        for declaration in declarations {
            json.beginObject(declaration.name)
            json.field("description", describe(declaration))
            write(declaration, to: &json)
            json.endObject()
        }
        json.endObject()
        let required = declarations.filter(\.isRequired)
        guard !required.isEmpty else { return }
        json.beginArray("required")
        for declaration in required { json.element(declaration.name) }
        json.endArray()
    }

    private static func write(_ declaration: Declaration, to json: inout JSONWriter) {
        if let inner = declaration.inner {
            switch inner.step {
            case "": write(inner.declarations, to: &json)
            case "[]":
                json.field("type", "array")
                json.beginObject("items")
                write(inner.declarations, to: &json)
                json.endObject()
            default:
                json.field("type", "object")
                json.beginObject("additionalProperties")
                write(inner.declarations, to: &json)
                json.endObject()
            }
            return
        }
        switch declaration.form {
        case .any: break
        case .boolean: json.field("type", "boolean")
        case .words(let words):
            json.beginArray("enum")
            for word in words { json.element(word) }
            json.endArray()
        case .integer(let range):
            json.field("type", "integer")
            json.field("minimum", range.lowerBound)
            json.field("maximum", range.upperBound)
        case .scalar:
            json.beginArray("type")
            for type in ["string", "number", "boolean"] { json.element(type) }
            json.endArray()
        case .list: json.field("type", "array")
        }
    }

    private static func describe(_ declaration: Declaration) -> String {
        let fallback = declaration.defaultValue.map { " Default: \($0)." } ?? ""
        return "\(declaration.meaning) (\(declaration.type))\(fallback)"
    }
}
