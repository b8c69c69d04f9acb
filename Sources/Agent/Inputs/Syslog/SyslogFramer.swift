import Base

/// Finds messages in what a TCP sender writes (RFC 6587): counted (`MSG-LEN SP MSG`) or ended by a newline, told apart message by message, for a count
/// begins with a digit and a message with `<`.
///
/// Holds at most the part of one message; of longer ones the beginning is handed out, and the rest passed over.
struct SyslogFramer {
    enum Piece: Equatable {
        case message
        /// Longer than allowed: cut, `byteCount` long as it was sent. For a message without an end what was seen of it.
        case cut(byteCount: Int)
    }

    private enum State: Equatable {
        case start
        case counting(digits: Int, value: Int)
        /// So many bytes are still to come.
        case counted(left: Int, total: Int)
        case line(seen: Int)
    }

    let bytesMax: Int
    /// Newlines alone, as on standard input.
    let linesOnly: Bool
    private var state = State.start
    private var held: [UInt8] = []
    /// The sender writes what is no framing; nothing of it can be understood from here on.
    private(set) var isBroken = false

    static let countDigitsMax = 9

    init(bytesMax: Int, linesOnly: Bool = false) {
        self.bytesMax = bytesMax
        self.linesOnly = linesOnly
    }

    var heldBytes: Int { held.count }

    /// Hands out messages without their newlines. Pointers are valid within `body` only.
    mutating func received(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer, Piece) -> Void) {
        var place = 0
        while place < bytes.count, !isBroken {
            switch state {
            case .start: place += start(bytes[place])
            case .counting(let digits, let value): place += count(bytes[place], digits, value)
            case .counted(let left, let total):
                let end = min(place + left, bytes.count)
                hold(bytes[place..<end])
                state = .counted(left: left - (end - place), total: total)
                place = end
                if case .counted(0, total) = state { handOut(byteCount: total, body) }
            case .line(let seen):
                let rest = UnsafeRawBufferPointer(rebasing: bytes[place...])
                let end = rest.firstIndex(of: 0x0A)
                let part = UnsafeRawBufferPointer(rebasing: rest[..<(end ?? rest.count)])
                if let end, seen == 0, part.count <= bytesMax {
                    // Whole in one piece: not copied.
                    if linesOnly || !part.isEmpty { body(Self.trimmed(part, linesOnly), .message) }
                    state = .start
                    place += end + 1
                    continue
                }
                hold(part[...])
                state = .line(seen: seen + part.count)
                place += part.count
                if end != nil {
                    place += 1
                    handOut(byteCount: seen + part.count, body)
                }
            }
        }
    }

    /// The sender closed. What it wrote last is a message although it has no end; one that was to be longer is not.
    mutating func ended(_ body: (UnsafeRawBufferPointer, Piece) -> Void) -> Bool {
        switch state {
        case .start: return true
        case .line(let seen):
            if seen > 0 { handOut(byteCount: seen, body) }
            return true
        case .counting, .counted: return false
        }
    }

    private mutating func start(_ byte: UInt8) -> Int {
        if !linesOnly, (0x31...0x39).contains(byte) {
            state = .counting(digits: 1, value: Int(byte - 0x30))
            return 1
        }
        state = .line(seen: 0)
        return 0
    }

    private mutating func count(_ byte: UInt8, _ digits: Int, _ value: Int) -> Int {
        switch byte {
        case 0x30...0x39 where digits < Self.countDigitsMax:
            state = .counting(digits: digits + 1, value: value * 10 + Int(byte - 0x30))
        case 0x20: state = .counted(left: value, total: value)
        default: isBroken = true
        }
        return 1
    }

    private mutating func hold(_ bytes: Slice<UnsafeRawBufferPointer>) {
        held.append(contentsOf: bytes.prefix(bytesMax - held.count))
    }

    private mutating func handOut(byteCount: Int, _ body: (UnsafeRawBufferPointer, Piece) -> Void) {
        state = .start
        held.withUnsafeBytes { held in
            if byteCount > held.count {
                body(held, .cut(byteCount: byteCount))
            } else if linesOnly || !held.isEmpty {
                body(Self.trimmed(held, linesOnly), .message)
            }
        }
        // A long message's memory is not kept for the next.
        if held.capacity > 8 << 10 { held = [] } else { held.removeAll(keepingCapacity: true) }
    }

    /// Without the carriage return, newline or NUL that some senders end a message with; lines of standard input are left as they are.
    static func trimmed(_ message: UnsafeRawBufferPointer, _ linesOnly: Bool = false) -> UnsafeRawBufferPointer {
        guard !linesOnly else { return message }
        var end = message.count
        while end > 0, message[end - 1] == 0x0A || message[end - 1] == 0x0D || message[end - 1] == 0 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: message[..<end])
    }
}
