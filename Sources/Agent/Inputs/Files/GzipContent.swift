import Base
import CZlib
import SystemPackage

/// What a gzip file holds, members one after the other (RFC 1952). Keeps what was inflated from the last position that was asked for on,
/// so memory follows the size of one read.
///
/// The file may still be growing: at the end of what is there the content just has no more bytes yet.
final class GzipContent: FileContent {
    private static let inputBytes = 64 << 10
    /// Inflated at most by one `approach`, about 20 ms of work.
    private static let stepBytes: Int64 = 8 << 20

    private enum State {
        case inflating
        /// Between two members, or at the end.
        case betweenMembers
        case damaged(String)
    }

    private let file: any File
    private let path: String
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableRawBufferPointer
    private var inputPosition: Int64 = 0
    private var state = State.betweenMembers
    private var isOpen = true
    /// Inflated bytes from `windowStart` on.
    private var window: [UInt8] = []
    private var windowStart: Int64 = 0

    init(_ file: any File, path: String) {
        self.file = file
        self.path = path
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        input = .allocate(byteCount: Self.inputBytes, alignment: 16)
        // 16: a gzip header is expected. Fails only without memory.
        let result = inflateInit2_(stream, 16 + MAX_WBITS, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib can't start: \(result)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    private(set) var isFinal = false

    private var windowEnd: Int64 { windowStart + Int64(window.count) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(FileError) -> Int {
        if position < windowStart { try restart() }
        drop(before: position)
        while windowEnd < position + Int64(buffer.count) {
            let before = windowEnd
            try inflateMore(wanted: Int(min(position + Int64(buffer.count) - windowEnd, 256 << 10)))
            drop(before: position)
            if windowEnd == before { break }
        }
        let count = min(buffer.count, Int(max(0, windowEnd - position)))
        let skipped = Int(min(max(0, position - windowStart), Int64(window.count)))
        window.withUnsafeBytes {
            buffer.copyBytes(from: UnsafeRawBufferPointer(rebasing: $0[skipped..<skipped + count]))
        }
        return count
    }

    func approach(_ position: Int64) throws(FileError) -> Bool {
        if position < windowStart { try restart() }
        let limit = windowEnd + Self.stepBytes
        while windowEnd < position {
            drop(before: min(position, windowEnd))
            let before = windowEnd
            try inflateMore(wanted: Self.inputBytes * 4)
            if windowEnd == before { return true }
            if windowEnd >= limit { return windowEnd >= position }
        }
        return true
    }

    func status() throws(FileError) -> FileStatus { try file.status() }

    func close() {
        isOpen = false
        file.close()
    }

    private func drop(before position: Int64) {
        guard position > windowStart else { return }
        let count = Int(min(position - windowStart, Int64(window.count)))
        window.removeFirst(count)
        windowStart += Int64(count)
    }

    private func restart() throws(FileError) {
        inflateReset(stream)
        stream.pointee.avail_in = 0
        inputPosition = 0
        window.removeAll(keepingCapacity: true)
        windowStart = 0
        state = .betweenMembers
    }

    /// Adds up to `wanted` bytes to the window; adds none at the end of what is there.
    private func inflateMore(wanted: Int) throws(FileError) {
        let first = window.count
        let room = max(wanted, 1)
        window.append(contentsOf: repeatElement(0, count: room))
        var produced = 0
        defer { window.removeLast(room - produced) }
        while produced < room {
            if stream.pointee.avail_in == 0, try !refill() {
                if case .betweenMembers = state, inputPosition > 0 { isFinal = true }
                return
            }
            switch state {
            case .damaged(let detail):
                throw FileError(.inputOutput, .read, FilePath(path), detail: detail)
            case .betweenMembers:
                // What follows the last member and doesn't look like another is padding.
                if inputPosition > Int64(stream.pointee.avail_in), stream.pointee.next_in.pointee != 0x1F {
                    stream.pointee.avail_in = 0
                    continue
                }
                inflateReset(stream)
                state = .inflating
            case .inflating: break
            }
            let result = window.withUnsafeMutableBufferPointer { window in
                stream.pointee.next_out = window.baseAddress! + first + produced
                stream.pointee.avail_out = uInt(room - produced)
                return inflate(stream, Z_NO_FLUSH)
            }
            produced = room - Int(stream.pointee.avail_out)
            switch result {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: state = .betweenMembers
            default:
                let detail = stream.pointee.msg.map { String(cString: $0) } ?? "error \(result)"
                state = .damaged("the gzip file is damaged: \(detail)")
                if produced > 0 { return }
            }
        }
    }

    private func refill() throws(FileError) -> Bool {
        guard isOpen else { throw FileError(.closed, .read, FilePath(path)) }
        let count = try file.read(into: input, at: inputPosition)
        inputPosition += Int64(count)
        stream.pointee.next_in = input.baseAddress!.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = uInt(count)
        return count > 0
    }
}
