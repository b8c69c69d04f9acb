#if canImport(Glibc)
    import Glibc
#endif

/// `parse: nginx`: a parser made from a `log_format`, one field per variable, under the variable's name.
///
/// A variable ends where the text after it begins. Where that text also occurs within a value (a blank in a user name, a quote under
/// `escape=none`), the parser goes back and takes a later occurrence, within a limit of steps, until the whole line fits. Values of
/// well-known variables are typed (`NginxVariable`); one that is not of its type makes the line one of another shape. Under
/// `escape=default` a lone `-` is null; under `json` and `none` an empty number is.
public struct NginxLineParser: LineParser {
    private struct Step: Sendable {
        var name: String
        var kind: NginxVariable.Kind
        /// What follows the variable; empty at the end of the line.
        var terminator: [UInt8]
        /// False for a variable that an earlier step already stores.
        var isStored: Bool
    }

    public let format: LogFormat
    public let fields: [(name: String, type: ValueType)]?
    private let prefix: [UInt8]
    private let steps: [Step]
    private let layout: RowLayout

    /// How often one line may be tried anew before it is given up as one of another shape.
    private static let stepsMax = 2_000

    public init(_ format: LogFormat) {
        self.format = format
        var prefix: [UInt8] = []
        var steps: [Step] = []
        for part in format.parts {
            switch part {
            case .literal(let text):
                if steps.isEmpty {
                    prefix = Array(text.utf8)
                } else {
                    steps[steps.count - 1].terminator = Array(text.utf8)
                }
            case .variable(let name):
                let isStored = !steps.contains { $0.name == name }
                steps.append(Step(name: name, kind: NginxVariable.kind(name), terminator: [], isStored: isStored))
            }
        }
        self.prefix = prefix
        self.steps = steps
        fields = steps.filter(\.isStored).map { ($0.name, $0.kind.type) }
        layout = RowLayout(steps.filter(\.isStored).map(\.name))
    }

    /// The parser of nginx's built-in `combined`.
    public static let combined: NginxLineParser = {
        do { return NginxLineParser(try LogFormat("combined")) } catch { fatalError("combined: \(error)") }
    }()

    public func parse(_ line: UnsafeRawBufferPointer, into row: inout Row) throws(ParseError) {
        guard line.count >= prefix.count, Self.equal(line, at: 0, prefix) else {
            throw ParseError(at: 0, "the line doesn't begin as the log_format does")
        }
        row.begin(layout)
        try withUnsafeTemporaryAllocation(of: Int.self, capacity: steps.count + 1) {
            (ends) throws(ParseError) -> Void in
            try split(line, into: ends)
            try fill(&row, line, ends: ends)
        }
    }

    /// Writes into `ends` where each variable ends; it begins after the terminator of the one before.
    private func split(_ line: UnsafeRawBufferPointer, into ends: UnsafeMutableBufferPointer<Int>) throws(ParseError) {
        var step = 0
        var start = prefix.count
        var searchFrom = start
        var triesLeft = Self.stepsMax
        var firstFailure: ParseError?
        while step < steps.count {
            triesLeft -= 1
            if triesLeft < 0, let failure = firstFailure { throw failure }
            let terminator = steps[step].terminator
            let isLast = step == steps.count - 1
            let end =
                isLast
                ? Self.lastEnd(line, from: searchFrom, terminator: terminator)
                : Self.find(terminator, in: line, from: searchFrom)
            if let end, fits(line, start, end, steps[step].kind) {
                ends[step] = end
                start = end + terminator.count
                searchFrom = start
                step += 1
                continue
            }
            // What went wrong first, with every value as short as can be, says the most.
            let failure = firstFailure ?? ParseError(at: start, missing(after: step, found: end != nil))
            firstFailure = failure
            // Go back to the last variable that can end later.
            guard let earlier = (0..<step).last(where: { steps[$0].kind == .text }) else { throw failure }
            step = earlier
            start = step == 0 ? prefix.count : ends[step - 1] + steps[step - 1].terminator.count
            searchFrom = ends[step] + 1
        }
    }

    private func missing(after step: Int, found: Bool) -> String {
        if found { return "$\(steps[step].name) is no \(steps[step].kind.type.rawValue)" }
        let text = String(decoding: steps[step].terminator, as: UTF8.self)
        return "\(Value.string(text).json) is wanted after $\(steps[step].name)"
    }

    private func fill(
        _ row: inout Row, _ line: UnsafeRawBufferPointer, ends: UnsafeMutableBufferPointer<Int>
    ) throws(ParseError) {
        var start = prefix.count
        for place in 0..<steps.count {
            let end = ends[place]
            if steps[place].isStored {
                let bytes = UnsafeRawBufferPointer(rebasing: line[start..<end])
                guard let cell = cell(bytes, steps[place].kind, &row.arena) else {
                    throw ParseError(at: start, "$\(steps[place].name) is no \(steps[place].kind.type.rawValue)")
                }
                row.append(cell)
            }
            start = end + steps[place].terminator.count
        }
    }

    private func isUnset(_ bytes: UnsafeRawBufferPointer) -> Bool {
        format.escape == .default && bytes.count == 1 && bytes[0] == UInt8(ascii: "-")
    }

    /// A cheap look at a typed value, so that a wrong split is seen where it happens.
    @inline(__always)
    private func fits(_ line: UnsafeRawBufferPointer, _ start: Int, _ end: Int, _ kind: NginxVariable.Kind) -> Bool {
        if kind == .text { return true }
        guard start < end else { return format.escape != .default }
        if kind == .timeLocal { return end - start == 26 }
        for byte in line[start..<end] where !(byte &- 0x30 < 10 || byte == 0x2d || byte == 0x2e) {
            return kind == .timeISO
        }
        return true
    }

    private func cell(
        _ bytes: UnsafeRawBufferPointer, _ kind: NginxVariable.Kind, _ arena: inout ByteArena
    ) -> Cell? {
        if isUnset(bytes) || (bytes.isEmpty && kind != .text) { return .null }
        switch kind {
        case .text: return .text(NginxEscape.unescaped(bytes, format.escape, in: &arena))
        case .whole: return NginxVariable.whole(bytes).map { .int($0) }
        case .decimal: return NginxVariable.decimal(bytes).map { .double($0) }
        case .timeLocal: return TimeText.nginxLocal(bytes).map { .timestamp($0) }
        case .timeISO: return TimeText.iso8601(bytes).map { .timestamp($0) }
        }
    }

    /// Where the last variable ends: the terminator has to close the line.
    private static func lastEnd(_ line: UnsafeRawBufferPointer, from start: Int, terminator: [UInt8]) -> Int? {
        let end = line.count - terminator.count
        return end >= start && equal(line, at: end, terminator) ? end : nil
    }

    private static func find(_ text: [UInt8], in line: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = line.baseAddress, let first = text.first else { return nil }
        var place = start
        while place <= line.count - text.count {
            guard let found = memchr(base + place, CInt(first), line.count - text.count + 1 - place) else { return nil }
            place = UnsafeRawPointer(found) - base
            if equal(line, at: place, text) { return place }
            place += 1
        }
        return nil
    }

    private static func equal(_ line: UnsafeRawBufferPointer, at place: Int, _ text: [UInt8]) -> Bool {
        for offset in 0..<text.count where line[place + offset] != text[offset] { return false }
        return true
    }
}
