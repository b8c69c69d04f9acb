/// Lines of a text file, compressed in blocks: each is a gzip member or a zstd frame of its own, and a file is one after the other, as both
/// formats allow. So all files share one compressor, and a file under way costs no more than its block.
struct TextBlocks {
    /// Larger blocks compress hardly better.
    private static let blockBytesMax = 256 << 10
    /// About how much lines of logs shrink; for estimates only.
    private static let shrinkage = 8

    private let compressor: BlockCompressor
    private(set) var waiting: [UInt8] = []
    private var writtenByteCount = 0
    var output = EncodedOutput()

    init(_ compressor: BlockCompressor) { self.compressor = compressor }

    var byteCount: Int64 {
        Int64(writtenByteCount + (compressor.codec == .none ? waiting.count : waiting.count / Self.shrinkage))
    }

    @inline(__always)
    mutating func append(_ write: (inout [UInt8]) -> Void) {
        write(&waiting)
        if waiting.count >= Self.blockBytesMax { compress() }
    }

    mutating func compress() {
        if waiting.isEmpty { return }
        var block: [UInt8] = []
        compressor.append(waiting, to: &block)
        writtenByteCount += block.count
        output.append(block)
        waiting.removeAll(keepingCapacity: true)
    }
}
