import Events

/// Finds what tells of a person within a text: `redact: {find: [ip, email, card, token]}`.
struct SensitiveText: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        /// IPv4 and IPv6 addresses.
        case ip
        case email
        /// Card numbers: 13 to 19 digits, also in groups, whose check digit is right.
        case card
        /// What opens doors: bearer tokens, JSON Web Tokens, `password=…`, `access_token=…` and the like, keys of well-known services.
        case token
    }

    let kinds: [Kind]
    private let patterns: [(kind: Kind, regex: Regex)]

    init(_ kinds: [Kind]) {
        self.kinds = kinds
        patterns = kinds.map { kind in
            do throws(Regex.Problem) {
                return (kind, try Regex(Self.pattern(kind), ignoresCase: kind == .token))
            } catch { preconditionFailure("\(kind): \(error)") }
        }
    }

    /// Where a pattern has a group, that is what is taken out.
    private static func pattern(_ kind: Kind) -> String {
        switch kind {
        case .ip:
            #"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)|(?<![\w:.])(?=[0-9a-fA-F.]*:)[0-9a-fA-F:]{2,39}(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3})?(?![\w:]|\.\d)"#
        case .email: #"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+"#
        case .card: #"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])"#
        case .token:
            #"(?|\bbearer[ +]([a-z0-9._~+/-]{8,}=*)"#
                + #"|(?<![a-z0-9_-])(?:[a-z0-9]+[_-])*(?:token|api_?key|apikey|secret|passw(?:or)?d|pwd|session_?id|signature)["']?\s?[=:]\s?["']?([^&\s"';,]+)"#
                + #"|\b(eyj[a-z0-9_-]{8,}\.[a-z0-9_-]{4,}\.[a-z0-9_-]*)"#
                + #"|\b(gh[pousr]_[a-z0-9]{20,}|akia[0-9a-z]{16}|xox[abeprs]-[a-z0-9-]{10,}|sk-[a-z0-9_-]{20,}))"#
        }
    }

    /// The text with what was found replaced. Where a text makes a pattern too costly, all of it is.
    func replacing(in text: String, by redaction: Redaction) -> String {
        var text = text
        for (kind, regex) in patterns {
            do throws(Regex.LimitReached) {
                text = try Self.replacing(regex, kind, in: text, by: redaction)
            } catch { return Redaction.mask }
        }
        return text
    }

    private static func replacing(
        _ regex: Regex, _ kind: Kind, in text: String, by redaction: Redaction
    ) throws(Regex.LimitReached) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var place = 0
        var copied = 0
        while place <= bytes.count {
            let found: Result<(part: Range<Int>, end: Int)?, Regex.LimitReached> = bytes.withUnsafeBytes { buffer in
                do throws(Regex.LimitReached) {
                    return .success(
                        try regex.firstMatch(in: buffer, from: place) { ranges in
                            let part = regex.groups.isEmpty ? ranges.whole : ranges.group(1) ?? ranges.whole
                            return (part, ranges.whole.upperBound)
                        })
                } catch { return .failure(error) }
            }
            guard let (part, end) = try found.get() else { break }
            let piece = String(decoding: bytes[part], as: UTF8.self)
            if isReal(piece, kind) {
                result += bytes[copied..<part.lowerBound]
                result += Array(redaction.redact(piece).utf8)
                copied = part.upperBound
            }
            place = max(end, place + 1)
        }
        guard copied > 0 else { return text }
        return String(decoding: result + bytes[copied...], as: UTF8.self)
    }

    private static func isReal(_ text: String, _ kind: Kind) -> Bool {
        switch kind {
        case .ip: Address.isAddress(text)
        case .card: hasCheckDigit(text)
        case .email, .token: true
        }
    }

    /// Luhn's sum (ISO/IEC 7812-1).
    private static func hasCheckDigit(_ text: String) -> Bool {
        var sum = 0
        for (place, digit) in text.compactMap(\.wholeNumberValue).reversed().enumerated() {
            let weighted = place % 2 == 1 ? digit * 2 : digit
            sum += weighted > 9 ? weighted - 9 : weighted
        }
        return sum % 10 == 0
    }
}
