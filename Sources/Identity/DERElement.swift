/// One element: its tag byte, and where its content lies in the certificate.
struct DERElement {
    let tag: UInt8
    let content: Range<Int>
}
