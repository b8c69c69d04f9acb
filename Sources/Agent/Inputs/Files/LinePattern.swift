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
    init(_ text: String) throws(InputSettingsError) {
        let compiled = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
        let status = regcomp(compiled, text, REG_EXTENDED | REG_NOSUB)
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

    static func == (left: LinePattern, right: LinePattern) -> Bool { left.text == right.text }
}
