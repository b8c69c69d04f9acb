import CPcre2
import Events
import Synchronization

/// A compiled regular expression of PCRE2 with a limit on what a match may cost: what a line makes of a pattern is the peer's choice.
///
/// Text is UTF-8; a byte that is no valid UTF-8 matches nothing but ends no match before it.
final class Regex: Sendable {
    /// A pattern that can't be compiled.
    struct Problem: Error, CustomStringConvertible {
        /// The byte, from 0.
        var position: Int
        var message: String
        var description: String { "regular expression, byte \(position): \(message)" }
    }

    /// How often the matcher may go back in one text before it gives up.
    static let matchLimit = 100_000
    /// What backtracking may take of memory, in KiB.
    static let heapLimitKiB: UInt32 = 20_000

    /// Unchecked: pointers that are only followed under the mutex.
    private struct Compiled: @unchecked Sendable {
        let code: OpaquePointer
        let data: OpaquePointer
        let context: OpaquePointer
    }

    let pattern: String
    /// The names of its groups in the order of their numbers; nil for one without.
    let groups: [String?]
    /// Held while it matches: the match's data is its own.
    private let compiled: Mutex<Compiled>

    /// - Parameter matchLimit: see `Regex.matchLimit`.
    init(_ pattern: String, ignoresCase: Bool = false, matchLimit: Int = matchLimit) throws(Problem) {
        var error: Int32 = 0
        var position = 0
        var options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF
        if ignoresCase { options |= PCRE2_CASELESS }
        let bytes = Array(pattern.utf8)
        guard let code = pcre2_compile_8(bytes, bytes.count, options, &error, &position, nil) else {
            throw Problem(position: position, message: Self.message(error))
        }
        // Where a process may not make code it is interpreted.
        _ = pcre2_jit_compile_8(code, PCRE2_JIT_COMPLETE)
        guard let data = pcre2_match_data_create_from_pattern_8(code, nil),
            let context = pcre2_match_context_create_8(nil)
        else { preconditionFailure("no memory for a regular expression") }
        pcre2_set_match_limit_8(context, UInt32(clamping: matchLimit))
        pcre2_set_heap_limit_8(context, Self.heapLimitKiB)
        self.pattern = pattern
        groups = Self.groups(of: code)
        compiled = Mutex(Compiled(code: code, data: data, context: context))
    }

    deinit {
        compiled.withLock { compiled in
            pcre2_match_context_free_8(compiled.context)
            pcre2_match_data_free_8(compiled.data)
            pcre2_code_free_8(compiled.code)
        }
    }

    private static func message(_ error: Int32) -> String {
        var text = [UInt8](repeating: 0, count: 256)
        let count = pcre2_get_error_message_8(error, &text, text.count)
        return String(decoding: text.prefix(max(0, Int(count))), as: UTF8.self)
    }

    private static func groups(of code: OpaquePointer) -> [String?] {
        var count: UInt32 = 0
        var nameCount: UInt32 = 0
        var entrySize: UInt32 = 0
        var table: UnsafePointer<UInt8>?
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_CAPTURECOUNT), &count)
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMECOUNT), &nameCount)
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE), &entrySize)
        pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
        var groups = [String?](repeating: nil, count: Int(count))
        guard let table else { return groups }
        // An entry is the group's number in two bytes, then its name and a zero.
        for entry in 0..<Int(nameCount) {
            let start = table + entry * Int(entrySize)
            let number = Int(start[0]) << 8 | Int(start[1])
            groups[number - 1] = String(cString: start + 2)
        }
        return groups
    }

    /// A match took more steps or memory than it may.
    struct LimitReached: Error {}

    /// Looks for the first match at or after `start`, and gives `body` where it and its groups begin and end; nil for a group that took no part.
    ///
    /// - Returns: nil where nothing matches.
    func firstMatch<Result>(
        in text: UnsafeRawBufferPointer, from start: Int = 0, _ body: (_ ranges: MatchRanges) -> Result
    ) throws(LimitReached) -> Result? {
        let outcome: (found: Result?, isLimited: Bool) = compiled.withLock { compiled in
            var none: UInt8 = 0
            let count = withUnsafePointer(to: &none) { none in
                pcre2_match_8(
                    compiled.code, text.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? none, text.count, start, 0,
                    compiled.data, compiled.context)
            }
            guard count > 0, let offsets = pcre2_get_ovector_pointer_8(compiled.data) else {
                return (nil, count != PCRE2_ERROR_NOMATCH)
            }
            return (body(MatchRanges(offsets: offsets, count: groups.count + 1)), false)
        }
        if outcome.isLimited { throw LimitReached() }
        return outcome.found
    }
}

/// Where a match and its groups lie in the text; valid while the match is looked at.
struct MatchRanges {
    fileprivate let offsets: UnsafeMutablePointer<Int>
    fileprivate let count: Int

    /// The match itself.
    var whole: Range<Int> { offsets[0]..<max(offsets[0], offsets[1]) }

    /// The group of that number, from 1; nil for one that took no part.
    func group(_ number: Int) -> Range<Int>? {
        guard offsets[2 * number] != millrace_pcre2_unset() else { return nil }
        return offsets[2 * number]..<offsets[2 * number + 1]
    }
}
