/// The tag bytes that a certificate's grammar (RFC 5280 4.1) names, each with its class and form.
enum DERTag: UInt8 {
    case boolean = 0x01
    case integer = 0x02
    case bitString = 0x03
    case octetString = 0x04
    case objectIdentifier = 0x06
    case utcTime = 0x17
    case generalizedTime = 0x18
    case sequence = 0x30
    case version = 0xA0
    case issuerUniqueID = 0x81
    case subjectUniqueID = 0x82
    case extensions = 0xA3
}
