#if canImport(Glibc)
    import Glibc
#endif

/// The types of nginx's variables (ngx_http_core_module, ngx_http_log_module, ngx_http_upstream_module). Upstream times, statuses and
/// lengths are lists (`0.1, 0.2 : -`) and stay text, as does every variable that isn't known.
public enum NginxVariable {
    enum Kind: Sendable {
        case text, whole, decimal, timeLocal, timeISO

        var type: ValueType {
            switch self {
            case .text: .string
            case .whole: .int
            case .decimal: .double
            case .timeLocal, .timeISO: .timestamp
            }
        }
    }

    private static let kinds: [String: Kind] = [
        "status": .whole, "body_bytes_sent": .whole, "bytes_sent": .whole, "request_length": .whole,
        "content_length": .whole, "connection": .whole, "connection_requests": .whole, "connections_active": .whole,
        "connections_reading": .whole, "connections_writing": .whole, "connections_waiting": .whole,
        "server_port": .whole,
        "remote_port": .whole, "proxy_port": .whole, "pid": .whole, "proxy_protocol_port": .whole,
        "proxy_protocol_server_port": .whole, "tcpinfo_rtt": .whole, "tcpinfo_rttvar": .whole,
        "tcpinfo_snd_cwnd": .whole,
        "tcpinfo_rcv_space": .whole,
        "request_time": .decimal, "msec": .decimal, "connection_time": .decimal, "gzip_ratio": .decimal,
        "time_local": .timeLocal, "time_iso8601": .timeISO,
    ]

    static func kind(_ name: String) -> Kind { kinds[name] ?? .text }

    static func whole(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        let isNegative = bytes.first == UInt8(ascii: "-")
        let digits = isNegative ? bytes.dropFirst() : bytes[...]
        guard 1...18 ~= digits.count else { return nil }
        var number: Int64 = 0
        for byte in digits {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int64(digit)
        }
        return isNegative ? -number : number
    }

    /// Digits with one point, as nginx prints times; exact for up to 15 digits.
    static func decimal(_ bytes: UnsafeRawBufferPointer) -> Double? {
        var mantissa: Int64 = 0
        var fractionDigits: Int?
        var count = 0
        let isNegative = bytes.first == UInt8(ascii: "-")
        for byte in isNegative ? bytes.dropFirst() : bytes[...] {
            if byte == UInt8(ascii: "."), fractionDigits == nil {
                fractionDigits = 0
                continue
            }
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10, count < 15 else { return nil }
            mantissa = mantissa * 10 + Int64(digit)
            count += 1
            fractionDigits = fractionDigits.map { $0 + 1 }
        }
        guard count > 0 else { return nil }
        var divisor = 1.0
        for _ in 0..<(fractionDigits ?? 0) { divisor *= 10 }
        return Double(isNegative ? -mantissa : mantissa) / divisor
    }
}

/// Takes back what nginx escaped in a variable's value.
enum NginxEscape {
    /// The value: the bytes themselves where nothing in them is escaped, else a copy in the arena.
    static func unescaped(
        _ bytes: UnsafeRawBufferPointer, _ escape: LogFormat.Escape, in arena: inout ByteArena
    ) -> UnsafeRawBufferPointer {
        guard let base = bytes.baseAddress else { return bytes }
        guard escape != .none, memchr(base, CInt(UInt8(ascii: "\\")), bytes.count) != nil else {
            return TextRepair.text(bytes, in: &arena)
        }
        var plain: [UInt8] = []
        plain.reserveCapacity(bytes.count)
        var place = 0
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "\\") {
                let taken = append(bytes, at: place, escape, to: &plain)
                if taken > 0 {
                    place += taken
                    continue
                }
            }
            plain.append(bytes[place])
            place += 1
        }
        return plain.withUnsafeBytes {
            TextRepair.isValid($0) ? arena.copy($0) : arena.copy(TextRepair.repaired($0))
        }
    }

    /// Appends what the escape at `place` stands for; how many bytes it takes, 0 where it is none.
    private static func append(
        _ bytes: UnsafeRawBufferPointer, at place: Int, _ escape: LogFormat.Escape, to plain: inout [UInt8]
    ) -> Int {
        guard place + 1 < bytes.count else { return 0 }
        let next = bytes[place + 1]
        if escape == .default {
            guard next == UInt8(ascii: "x"), let byte = hex(bytes, at: place + 2) else { return 0 }
            plain.append(byte)
            return 4
        }
        switch next {
        case UInt8(ascii: "n"): plain.append(0x0a)
        case UInt8(ascii: "r"): plain.append(0x0d)
        case UInt8(ascii: "t"): plain.append(0x09)
        case UInt8(ascii: "b"): plain.append(0x08)
        case UInt8(ascii: "f"): plain.append(0x0c)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): plain.append(next)
        case UInt8(ascii: "u"):
            // nginx writes controls alone this way: \u0000 … \u001F.
            guard let high = hex(bytes, at: place + 2), high == 0, let low = hex(bytes, at: place + 4), low < 0x80
            else {
                return 0
            }
            plain.append(low)
            return 6
        default: return 0
        }
        return 2
    }

    private static func hex(_ bytes: UnsafeRawBufferPointer, at place: Int) -> UInt8? {
        guard place + 2 <= bytes.count, let high = HexDigit.value(bytes[place]),
            let low = HexDigit.value(bytes[place + 1])
        else { return nil }
        return high << 4 | low
    }
}
