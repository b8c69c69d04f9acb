/// Makes the encoders of a partition's files, with what they share.
final class EncoderFactory {
    private let format: TableFormat
    private let compressor: BlockCompressor
    private let shaper: RowShaper?
    private let keys: JSONKeys
    private let attempt: AttemptID

    init(_ format: TableFormat, chain: ChainID, attempt: AttemptID, layout: TableLayout) {
        self.format = format
        self.attempt = attempt
        compressor = BlockCompressor(format.codec, level: format.level)
        shaper = format.schema.map { RowShaper($0, chain: chain) }
        keys = JSONKeys(chain: chain, kafka: format.kafka, layout: layout)
    }

    /// - Parameter number: the file's, within the attempt.
    func encoder(number: Int) -> any RowEncoder {
        switch format.kind {
        case .jsonl: return JSONLinesEncoder(keys: keys, compressor: compressor)
        case .csv: return CSVEncoder(shaper: columns, compressor: compressor)
        case .avro: return AvroEncoder(shaper: columns, compressor: compressor, attempt: attempt, number: number)
        case .parquet:
            return ParquetEncoder(
                shaper: columns, compressor: compressor,
                settings: .init(rowGroupBytesMax: format.rowGroupBytesMax, compatibility: format.compatibility))
        }
    }

    private var columns: RowShaper {
        guard let shaper else { preconditionFailure("\(format.kind) without a schema") }
        return shaper
    }
}
