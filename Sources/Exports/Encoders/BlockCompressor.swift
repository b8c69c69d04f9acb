import Records

/// Compresses the blocks of files one after the other; all files of a partition share it.
final class BlockCompressor {
    let codec: Codec
    let level: Int?
    private var compressor = Compressor()

    /// - Parameter level: nil is the codec's default.
    init(_ codec: Codec, level: Int?) {
        self.codec = codec
        self.level = level
    }

    /// The block, compressed; a snappy block is raw. Valid until the next call.
    func compress(_ block: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        do throws(RecordError) {
            return codec == .snappy
                ? try compressor.snappyBlock(block) : try compressor.compress(block, codec: codec, level: level)
        } catch {
            // Only where the machine has no memory left.
            preconditionFailure("\(error)")
        }
    }

    func append(_ block: [UInt8], to output: inout [UInt8]) {
        block.withUnsafeBytes { output.append(contentsOf: compress($0)) }
    }
}
