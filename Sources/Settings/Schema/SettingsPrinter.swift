import Base

/// Writes a configuration as it was read: YAML again, with the keys in the decoder's order.
public struct SettingsPrinter {
    /// Also what the file does not say, with its default.
    public var isEffective: Bool
    /// What was filled in stands as its reference (`${file:…}`), what is called a secret as `[redacted]`.
    public var isRedacted: Bool

    public init(isEffective: Bool, isRedacted: Bool) {
        self.isEffective = isEffective
        self.isRedacted = isRedacted
    }

    /// - Parameter trace: of a document that the decoder took.
    public func text(of trace: SettingsTrace) -> String {
        lines(of: trace, key: "", indent: "").map { $0 + "\n" }.joined()
    }

    private func lines(of trace: SettingsTrace, key: String, indent: String) -> [String] {
        let state = trace.snapshot
        var lines: [String] = []
        for key in state.keys {
            guard let member = state.members[key] else { continue }
            let found = member.snapshot
            let name = plain(key)
            if let node = found.node, !node.isNull {
                lines += written(node, member, key: key).at("\(indent)\(name):", indent)
            } else if !found.keys.isEmpty, isEffective,
                case let below = self.lines(of: member, key: key, indent: indent + "  "), !below.isEmpty
            {
                lines += ["\(indent)\(name):"] + below
            } else if found.node != nil {
                // A key with nothing behind it: `nginx:` is a source all the same.
                lines.append("\(indent)\(name): \(found.readings.contains(.mapping) ? "{}" : "null")")
            } else if isEffective, let value = found.value {
                lines.append("\(indent)\(name): \(text(of: value))  # default")
            }
        }
        return lines
    }

    /// A node's text: on the line of its key, or in lines of its own.
    private enum Written {
        case inline(String)
        case below([String])

        func at(_ head: String, _ indent: String) -> [String] {
            switch self {
            case .inline(let text): ["\(head) \(text)"]
            case .below(let lines): [head] + lines.map { "\(indent)  \($0)" }
            }
        }
    }

    private func written(_ node: YAMLNode, _ trace: SettingsTrace?, key: String) -> Written {
        switch node.value {
        case .scalar: return .inline(scalar(node, key: key))
        case .mapping(let entries):
            let state = trace?.snapshot
            if let trace, let state, !state.keys.isEmpty {
                let lines = self.lines(of: trace, key: key, indent: "")
                return lines.isEmpty ? .inline("{}") : .below(lines)
            }
            if entries.isEmpty { return .inline("{}") }
            return .below(entries.flatMap { written($0.value, nil, key: $0.key).at("\(plain($0.key)):", "") })
        case .sequence(let elements):
            let traces = trace?.snapshot.elements ?? []
            let all = elements.enumerated().map { index, element in
                written(element, index < traces.count ? traces[index] : nil, key: key)
            }
            let inline = all.compactMap { if case .inline(let text) = $0 { text } else { nil } }
            if inline.count == all.count { return .inline("[" + inline.joined(separator: ", ") + "]") }
            return .below(
                all.flatMap { element -> [String] in
                    switch element {
                    case .inline(let text): ["- \(text)"]
                    case .below(let lines): lines.enumerated().map { ($0.offset == 0 ? "- " : "  ") + $0.element }
                    }
                })
        }
    }

    // MARK: - Scalars

    private func scalar(_ node: YAMLNode, key: String) -> String {
        guard case .scalar(let written, let isPlain) = node.value else { return "" }
        if isRedacted {
            if Self.isSecret(key), !isFile(node.reference) { return "'[redacted]'" }
            if let reference = node.reference { return SchemaText.quoted(reference) }
        }
        let text = isRedacted ? Self.withoutPassword(written) : written
        // What is printed is read again: a dollar that stood for itself must go on doing so.
        let escaped = text.contains("${") || text.contains("$$") ? Self.doublingDollars(text) : text
        return isPlain && node.reference == nil && escaped == text ? plain(text) : SchemaText.quoted(escaped)
    }

    /// Whether the text is nothing but where the secret stands.
    private func isFile(_ reference: String?) -> Bool {
        guard let reference, reference.hasSuffix("}"), reference.count(where: { $0 == "}" }) == 1 else { return false }
        return reference.hasPrefix("${file:") || reference.hasPrefix("${env:") && !reference.contains(":-")
    }

    private static func isSecret(_ key: String) -> Bool {
        let key = key.lowercased()
        return [
            "password", "passphrase", "secret", "token", "credential", "access_key", "private_key", "api_key",
            "api-key", "authorization", "cookie",
        ].contains { key.contains($0) }
    }

    /// `scheme://user:password@host/…` without the password.
    private static func withoutPassword(_ text: String) -> String {
        let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].hasSuffix(":"), parts[1].isEmpty, let at = parts[2].lastIndex(of: "@"),
            let colon = parts[2][..<at].firstIndex(of: ":")
        else { return text }
        let authority = String(parts[2][...colon]) + "[redacted]" + String(parts[2][at...])
        return ([String(parts[0]), "", authority] + parts.dropFirst(3).map(String.init)).joined(separator: "/")
    }

    private static func doublingDollars(_ text: String) -> String {
        text.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$")
    }

    /// As it stands where YAML takes it for the same text, else quoted.
    private func plain(_ text: String) -> String {
        let isSafe =
            text.unicodeScalars.allSatisfy { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789_./+-".unicodeScalars.contains(scalar))
                    || scalar == ":"
            } && !text.hasSuffix(":") && !text.hasPrefix(":") && !text.hasPrefix("-") && !text.isEmpty
        return isSafe ? text : SchemaText.quoted(text)
    }

    private func text(of value: SettingsTrace.Default) -> String {
        switch value {
        case .text(let text): plain(text)
        case .flag(let flag): "\(flag)"
        case .whole(let number): "\(number)"
        }
    }
}
