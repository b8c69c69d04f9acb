import Records

/// Numbers of the Parquet format (parquet.thrift, 2.10).
enum ParquetType: Int32 {
    case boolean = 0
    case int32 = 1
    case int64 = 2
    case double = 5
    case byteArray = 6

    init(_ type: ColumnType) {
        switch type {
        case .bool: self = .boolean
        case .int32, .date: self = .int32
        case .int64, .timestamp: self = .int64
        case .double: self = .double
        case .string: self = .byteArray
        }
    }

    /// Of a value in PLAIN; 0 for booleans (a bit each) and byte arrays (their length stands before them).
    var fixedWidth: Int {
        switch self {
        case .int32: 4
        case .int64, .double: 8
        case .boolean, .byteArray: 0
        }
    }
}

/// The older annotation, which every reader knows.
enum ParquetConvertedType: Int32 {
    case utf8 = 0
    case date = 6
    case timestampMicros = 10
}

enum ParquetEncoding: Int32, CaseIterable {
    case plain = 0
    /// What RLE_DICTIONARY was called first; readers of Hadoop 2's time look for it in v1 pages.
    case plainDictionary = 2
    case rle = 3
    case rleDictionary = 8
}

enum ParquetPageType: Int32 {
    case data = 0
    case dictionary = 2
}

enum ParquetCodec {
    static func number(_ codec: Codec) -> Int32 {
        switch codec {
        case .none: 0
        case .snappy: 1
        case .gzip: 2
        case .zstd: 6
        case .lz4:
            preconditionFailure("Parquet's old LZ4 is read in different ways; it is refused where settings are read")
        }
    }
}

/// For whom a Parquet file is written.
public enum ParquetCompatibility: String, Sendable, CaseIterable {
    /// Readers of today: everything since Spark 3, Hive 4, Trino, DuckDB, Arrow.
    case modern
    /// Hive and Spark of Hadoop 2: the older annotations alone, dictionaries under their older number, no zstd. Hive before 4 reads a
    /// timestamp of such a file as a BIGINT of microseconds.
    case hadoop2
}
