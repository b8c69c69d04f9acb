import Base

#if canImport(Glibc)
    import Glibc
#endif

/// A POSIX extended regular expression (regex (7)) over the bytes of a line: `^[0-9]{4}-`, `^[[:space:]]`.
///
/// The C library's matcher, for the agent's binary is to stay slim. Of a line it sees the first `bytesMax`, so that a long one costs no
/// more than a short one.
final class LinePattern: @unchecked Sendable, Equatable {
    static let bytesMax = 1024

    let text: String
    /// Never changed after it was made; regexec (3) may be called from any thread.
    private let compiled: UnsafeMutablePointer<regex_t>

    /// Throws what the C library says of a pattern that it can't understand.
    ///
    /// - Parameter locates: whether `replacing` will be asked for.
    init(_ text: String, locates: Bool = false) throws(InputSettingsError) {
        let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        let status = regcomp(compiled, text, locates ? REG_EXTENDED : REG_EXTENDED | REG_NOSUB)
        guard status == 0 else {
            var message = [CChar](repeating: 0, count: 256)
            regerror(status, compiled, &message, message.count)
            compiled.deallocate()
            let end = message.firstIndex(of: 0) ?? message.endIndex
            let reason = String(decoding: message[..<end].map(UInt8.init(bitPattern:)), as: UTF8.self)
            throw InputSettingsError(message: "'\(text)' is no extended regular expression: \(reason)")
        }
        // Not before: what throws with everything set is freed by `deinit` too.
        self.text = text
        self.compiled = compiled
    }

    deinit {
        regfree(compiled)
        compiled.deallocate()
    }

    func matches(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let base = line.baseAddress else { return false }
        var range = regmatch_t(rm_so: 0, rm_eo: regoff_t(min(line.count, Self.bytesMax)))
        return regexec(compiled, base.assumingMemoryBound(to: CChar.self), 1, &range, REG_STARTEND) == 0
    }

    /// All of the text, however long, with each match replaced; nil where there is none. An empty match is none.
    func replacing(in text: [UInt8], with replacement: String) -> [UInt8]? {
        var result: [UInt8]?
        var place = 0
        text.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
            var from = 0
            while from < bytes.count {
                var range = regmatch_t(rm_so: regoff_t(from), rm_eo: regoff_t(bytes.count))
                let flags = REG_STARTEND | (from > 0 ? REG_NOTBOL : 0)
                guard regexec(compiled, base, 1, &range, flags) == 0 else { break }
                guard range.rm_eo > range.rm_so else {
                    from = Int(range.rm_eo) + 1
                    continue
                }
                var changed = result ?? []
                changed += bytes[place..<Int(range.rm_so)]
                changed += replacement.utf8
                result = changed
                place = Int(range.rm_eo)
                from = place
            }
            if result != nil { result! += bytes[place...] }
        }
        return result
    }

    static func == (left: LinePattern, right: LinePattern) -> Bool { left.text == right.text }
}
