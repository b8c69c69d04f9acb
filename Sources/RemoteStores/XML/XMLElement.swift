import CExpat

/// An element of a small XML document, as S3 answers with: its name without a prefix, the elements in it, and its text. Attributes are left out.
struct XMLElement: Sendable, Equatable {
    var name: String
    var children: [XMLElement] = []
    var text = ""

    /// The text of the first child of that name.
    func text(_ name: String) -> String? { children.first { $0.name == name }?.text }

    func children(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// Elements within each other, beyond which a document is refused.
    static let depthMax = 32

    /// The root of a whole document, read by Expat; nil for what is no well-formed XML.
    init?(_ bytes: [UInt8]) {
        guard let parser = XML_ParserCreate("UTF-8") else { return nil }
        defer { XML_ParserFree(parser) }
        let builder = XMLTreeBuilder()
        XML_SetUserData(parser, Unmanaged.passUnretained(builder).toOpaque())
        XML_SetElementHandler(
            parser,
            { data, name, _ in XMLTreeBuilder.of(data)?.began(name.map { String(cString: $0) } ?? "") },
            { data, _ in XMLTreeBuilder.of(data)?.ended() })
        XML_SetCharacterDataHandler(parser) { data, text, length in
            guard let text else { return }
            let bytes = UnsafeRawBufferPointer(start: text, count: Int(length))
            XMLTreeBuilder.of(data)?.read(String(decoding: bytes, as: UTF8.self))
        }
        let isWhole = withExtendedLifetime(builder) {
            bytes.withUnsafeBytes { bytes in
                let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
                return XML_Parse(parser, start, CInt(bytes.count), 1) == XML_STATUS_OK
            }
        }
        guard isWhole, !builder.isTooDeep, let root = builder.root else { return nil }
        self = root
    }

    fileprivate init(name: String) { self.name = name }
}

/// Collects what Expat reports.
private final class XMLTreeBuilder {
    private var open: [XMLElement] = []
    private(set) var root: XMLElement?
    private(set) var isTooDeep = false
    private var skipped = 0

    static func of(_ data: UnsafeMutableRawPointer?) -> XMLTreeBuilder? {
        data.map { Unmanaged<XMLTreeBuilder>.fromOpaque($0).takeUnretainedValue() }
    }

    func began(_ name: String) {
        guard open.count < XMLElement.depthMax else {
            isTooDeep = true
            skipped += 1
            return
        }
        open.append(XMLElement(name: name.split(separator: ":").last.map(String.init) ?? name))
    }

    func read(_ text: String) {
        if skipped == 0, !open.isEmpty { open[open.count - 1].text += text }
    }

    func ended() {
        if skipped > 0 {
            skipped -= 1
            return
        }
        let element = open.removeLast()
        if open.isEmpty { root = element } else { open[open.count - 1].children.append(element) }
    }
}
