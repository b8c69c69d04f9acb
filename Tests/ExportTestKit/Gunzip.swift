import CZlib

/// Inflates a gzip file whole.
public func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
    var stream = z_stream()
    guard inflateInit2_(&stream, 15 + 32, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
        throw GunzipError()
    }
    defer { inflateEnd(&stream) }
    var output: [UInt8] = []
    var input = bytes
    var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    return try input.withUnsafeMutableBufferPointer { input in
        stream.next_in = input.baseAddress
        stream.avail_in = CUnsignedInt(input.count)
        while true {
            let result = chunk.withUnsafeMutableBufferPointer { chunk in
                stream.next_out = chunk.baseAddress
                stream.avail_out = CUnsignedInt(chunk.count)
                return inflate(&stream, Z_NO_FLUSH)
            }
            output += chunk.prefix(chunk.count - Int(stream.avail_out))
            if result == Z_STREAM_END { return output }
            guard result == Z_OK else { throw GunzipError() }
        }
    }
}

public struct GunzipError: Error {}
