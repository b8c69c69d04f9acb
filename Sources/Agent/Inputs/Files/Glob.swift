/// A pattern of absolute paths: `*` and `?` within a name, `[a-z]` and `[!a-z]`, `**` as a name for any number of folders, `\` before
/// a character that means itself. As in a shell, `*`, `?` and `**` don't match names that begin with a dot unless the pattern shows it.
struct Glob: Sendable, Hashable, CustomStringConvertible {
    enum Segment: Sendable, Hashable {
        case literal(String)
        case pattern([Token])
        /// `**`: no folder, one, or several.
        case anyDepth
    }

    enum Token: Sendable, Hashable {
        case byte(UInt8)
        case anyByte
        case anyBytes
        case set([ClosedRange<UInt8>], negated: Bool)
    }

    let description: String
    let segments: [Segment]

    /// Nil where the pattern isn't an absolute path with at least one name.
    init?(_ pattern: String) {
        guard pattern.hasPrefix("/") else { return nil }
        description = pattern
        segments = pattern.split(separator: "/").map(Self.segment)
        guard let last = segments.last, last != .anyDepth else { return nil }
    }

    /// The folders and names before the first wildcard: where a search begins. `/` where the first name is one.
    var root: String {
        var names: [String] = []
        for case .literal(let name) in segments.dropLast().prefix(while: {
            if case .literal = $0 { true } else { false }
        }) {
            names.append(name)
        }
        return "/" + names.joined(separator: "/")
    }

    func matches(_ path: String) -> Bool {
        Self.match(segments[...], path.split(separator: "/", omittingEmptySubsequences: true)[...])
    }

    /// Whether files that match can lie in this folder or below it.
    func mayMatchBelow(_ folder: String) -> Bool {
        Self.mayMatchBelow(segments[...], folder.split(separator: "/")[...])
    }

    private static func match(_ segments: ArraySlice<Segment>, _ names: ArraySlice<Substring>) -> Bool {
        guard let segment = segments.first else { return names.isEmpty }
        if segment == .anyDepth {
            if match(segments.dropFirst(), names) { return true }
            guard let name = names.first, !name.hasPrefix(".") else { return false }
            return match(segments, names.dropFirst())
        }
        guard let name = names.first, matches(segment, name) else { return false }
        return match(segments.dropFirst(), names.dropFirst())
    }

    private static func mayMatchBelow(_ segments: ArraySlice<Segment>, _ names: ArraySlice<Substring>) -> Bool {
        guard let name = names.first else { return !segments.isEmpty }
        guard let segment = segments.first else { return false }
        if segment == .anyDepth {
            return mayMatchBelow(segments.dropFirst(), names)
                || (!name.hasPrefix(".") && mayMatchBelow(segments, names.dropFirst()))
        }
        return matches(segment, name) && mayMatchBelow(segments.dropFirst(), names.dropFirst())
    }

    private static func matches(_ segment: Segment, _ name: Substring) -> Bool {
        switch segment {
        case .literal(let literal): return literal == name
        case .anyDepth: return true
        case .pattern(let tokens):
            if name.hasPrefix("."), tokens.first != .byte(0x2E) { return false }
            var name = name
            return name.withUTF8 { matches(tokens, $0) }
        }
    }

    /// Wildcards one after the other, going back to the last `*` only: time grows with the product of both lengths at worst.
    private static func matches(_ tokens: [Token], _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        var token = 0
        var index = 0
        var star: (token: Int, index: Int)?
        while index < name.count {
            if token < tokens.count, tokens[token] == .anyBytes {
                star = (token, index)
                token += 1
            } else if token < tokens.count, accepts(tokens[token], name[index]) {
                token += 1
                index += 1
            } else if let last = star {
                star = (last.token, last.index + 1)
                token = last.token + 1
                index = last.index + 1
            } else {
                return false
            }
        }
        return tokens[token...].allSatisfy { $0 == .anyBytes }
    }

    private static func accepts(_ token: Token, _ byte: UInt8) -> Bool {
        switch token {
        case .byte(let expected): byte == expected
        case .anyByte, .anyBytes: true
        case .set(let ranges, let negated): ranges.contains { $0.contains(byte) } != negated
        }
    }

    private static func segment(_ text: Substring) -> Segment {
        if text == "**" { return .anyDepth }
        let bytes = Array(text.utf8)
        var tokens: [Token] = []
        var index = 0
        var isLiteral = true
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "*"):
                if tokens.last != .anyBytes { tokens.append(.anyBytes) }
                isLiteral = false
            case UInt8(ascii: "?"):
                tokens.append(.anyByte)
                isLiteral = false
            case UInt8(ascii: "["):
                if let (set, end) = set(bytes, from: index) {
                    tokens.append(set)
                    index = end
                    isLiteral = false
                } else {
                    tokens.append(.byte(bytes[index]))
                }
            case UInt8(ascii: "\\") where index + 1 < bytes.count:
                index += 1
                tokens.append(.byte(bytes[index]))
            default: tokens.append(.byte(bytes[index]))
            }
            index += 1
        }
        guard isLiteral else { return .pattern(tokens) }
        return .literal(
            String(
                decoding: tokens.compactMap { if case .byte(let byte) = $0 { byte } else { nil } }, as: UTF8.self))
    }

    /// The set that opens at `start` and where its `]` stands; nil where none closes it.
    private static func set(_ bytes: [UInt8], from start: Int) -> (Token, end: Int)? {
        var index = start + 1
        guard index < bytes.count else { return nil }
        let negated = bytes[index] == UInt8(ascii: "!") || bytes[index] == UInt8(ascii: "^")
        if negated { index += 1 }
        var ranges: [ClosedRange<UInt8>] = []
        let first = index
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "]"), index > first { return (.set(ranges, negated: negated), index) }
            if index + 2 < bytes.count, bytes[index + 1] == UInt8(ascii: "-"), bytes[index + 2] != UInt8(ascii: "]") {
                if bytes[index] <= bytes[index + 2] { ranges.append(bytes[index]...bytes[index + 2]) }
                index += 3
            } else {
                ranges.append(bytes[index]...bytes[index])
                index += 1
            }
        }
        return nil
    }
}
