/// Lines of Swift with their indentation.
struct SwiftText {
    private(set) var text = ""
    private var depth = 0

    mutating func line(_ content: String = "") {
        if !content.isEmpty { text += String(repeating: "    ", count: depth) + content }
        text += "\n"
    }

    /// `header { … }`
    mutating func block(_ header: String, tail: String = "", _ body: (inout SwiftText) -> Void) {
        line(header + " {")
        depth += 1
        body(&self)
        depth -= 1
        line("}" + tail)
    }
}
