public import Base
import Settings

/// How rows are gathered before they are sent elsewhere.
public struct DeliverySettings: Sendable, Equatable {
    /// A batch is sent when it has so many rows, …
    public var rowsMax: Int
    /// … so many bytes, …
    public var bytesMax: ByteCount
    /// … or when its first row has waited for so long.
    public var linger: Duration

    public init(rowsMax: Int = 1000, bytesMax: ByteCount = .mib(1), linger: Duration = .seconds(1)) {
        self.rowsMax = rowsMax
        self.bytesMax = bytesMax
        self.linger = linger
    }

    /// Between a failure and the next try: the first, doubled each time up to the second.
    static let pause = Duration.milliseconds(250)
    static let pauseMax = Duration.seconds(30)
}

extension DeliverySettings {
    /// Reads `batch`. Keys: `rows`, `size`, `linger`.
    init(_ mapping: inout SettingsMapping, default settings: DeliverySettings = .init()) throws(SettingsError) {
        self = settings
        var batch = try mapping.section("batch")
        rowsMax = try batch.int("rows", default: rowsMax, in: 1...100_000)
        bytesMax = try batch.bytes("size", default: bytesMax, in: .kib(1)...ByteCount.mib(64))
        linger = try batch.duration("linger", default: linger, in: .zero...(.seconds(3600)))
        try batch.finish()
    }
}

/// What becomes of rows that a target refuses for what they are.
public enum OnRefusal: String, Sendable, CaseIterable {
    /// The pipeline stops and says which: nothing is lost.
    case stop
    /// They are left out, counted, and said.
    case drop
}
