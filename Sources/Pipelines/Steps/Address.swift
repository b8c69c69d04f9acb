/// IP addresses as text.
enum Address {
    /// 203.0.113.0 of 203.0.113.7 (24 bits are kept), 2001:db8:1:: of 2001:db8:1:2::7 (48 bits); nil for what is no address.
    static func truncated(_ text: String) -> String? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 4, !text.contains(":") {
            let bytes = parts.compactMap { $0.count <= 3 ? UInt8($0) : nil }
            return bytes.count == 4 ? "\(bytes[0]).\(bytes[1]).\(bytes[2]).0" : nil
        }
        guard let groups = groups(ofIPv6: text) else { return nil }
        // One that carries an IPv4 address (::ffff:203.0.113.7) has nothing in its first 48 bits.
        let kept = groups.prefix(3).map { String($0, radix: 16) }
        if groups.prefix(3).allSatisfy({ $0 == 0 }) { return "::" }
        return kept.joined(separator: ":") + "::"
    }

    /// The eight groups; the zone of a link-local address is left out.
    static func groups(ofIPv6 text: String) -> [UInt16]? {
        var text = text.prefix { $0 != "%" }
        guard text.contains(":"), text.utf8.count <= 45 else { return nil }
        var tail: [UInt16] = []
        if text.contains(".") {
            guard let colon = text.lastIndex(of: ":") else { return nil }
            let bytes = text[text.index(after: colon)...].split(separator: ".", omittingEmptySubsequences: false)
                .compactMap { UInt8($0) }
            guard bytes.count == 4 else { return nil }
            tail = [UInt16(bytes[0]) << 8 | UInt16(bytes[1]), UInt16(bytes[2]) << 8 | UInt16(bytes[3])]
            // The colon of `::` belongs to the gap.
            text = text[...colon]
            if !text.hasSuffix("::") { text = text.dropLast() }
        }
        let halves = String(text).split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2 else { return nil }
        var read: [[UInt16]] = []
        for half in halves {
            let parts = half.isEmpty ? [] : half.split(separator: ":", omittingEmptySubsequences: false)
            let groups = parts.compactMap { 1...4 ~= $0.count ? UInt16($0, radix: 16) : nil }
            guard groups.count == parts.count else { return nil }
            read.append(groups)
        }
        let count = read.reduce(tail.count) { $0 + $1.count }
        if halves.count == 1 { return count == 8 ? read[0] + tail : nil }
        guard count < 8 else { return nil }
        return read[0] + Array(repeating: 0, count: 8 - count) + read[1] + tail
    }

    /// Whether it is an IPv4 or IPv6 address.
    static func isAddress(_ text: String) -> Bool { truncated(text) != nil }
}
