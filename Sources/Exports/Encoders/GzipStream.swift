import CZlib

/// A gzip member (RFC 1952) that is written piece by piece, with the memory of one deflate window (about 256 KiB).
final class GzipStream {
    private let stream: UnsafeMutablePointer<z_stream>
    private static let chunkBytes = 16 * 1024

    /// - Parameter level: 1 (fast) … 9 (small).
    init(level: Int) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let result = deflateInit2_(
            stream, CInt(level), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            CInt(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "deflateInit2: \(result)")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func append(_ bytes: [UInt8], to output: inout [UInt8]) { deflate(bytes, Z_NO_FLUSH, to: &output) }

    /// Ends the member. Nothing may be appended after it.
    func finish(to output: inout [UInt8]) { deflate([], Z_FINISH, to: &output) }

    private func deflate(_ bytes: [UInt8], _ flush: CInt, to output: inout [UInt8]) {
        bytes.withUnsafeBufferPointer { input in
            stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
            stream.pointee.avail_in = CUnsignedInt(input.count)
            while true {
                let isFull = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.chunkBytes) { chunk in
                    stream.pointee.next_out = chunk.baseAddress
                    stream.pointee.avail_out = CUnsignedInt(Self.chunkBytes)
                    let result = CZlib.deflate(stream, flush)
                    precondition(
                        result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR, "deflate: \(result)")
                    let count = Self.chunkBytes - Int(stream.pointee.avail_out)
                    output.append(contentsOf: UnsafeMutableBufferPointer(rebasing: chunk[..<count]))
                    return stream.pointee.avail_out == 0
                }
                if !isFull { break }
            }
            stream.pointee.next_in = nil
        }
    }
}
