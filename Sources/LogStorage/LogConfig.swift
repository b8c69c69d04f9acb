import Base
import Records

/// When an append counts as kept: the topic setting `millrace.durability`.
public enum Durability: String, Sendable, CaseIterable {
    /// After a flush: neither an ack nor the high watermark gets ahead of the disk. A power cut loses nothing acknowledged.
    case fsync
    /// At once; the log is flushed every `flush.ms`. A power cut may lose what came since.
    case interval
    /// At once; the kernel writes when it likes. A power cut may lose more; a killed process loses nothing.
    case pageCache = "page-cache"
}

/// How one topic's logs are kept. Built from Kafka's topic settings under their dotted names; a limit of −1 is "none", as in Kafka.
public struct LogConfig: Sendable, Equatable {
    /// `segment.bytes`: a segment is closed before it would grow beyond this.
    public var segmentBytes = ByteCount.gib(1)
    /// `segment.ms`: or once its first batch is this old.
    public var segmentAge = Duration.milliseconds(604_800_000)
    /// `retention.ms`: segments whose youngest record is older are deleted. Nil keeps for ever.
    public var retentionAge: Duration? = .milliseconds(604_800_000)
    /// `retention.bytes`: the oldest segments of a larger log are deleted. Nil is without limit.
    public var retentionBytes: ByteCount?
    /// `cleanup.policy`.
    public var deletes = true
    public var compacts = false
    /// `max.message.bytes`: the largest batch, as it came.
    public var batchBytesMax = ByteCount(1_048_588)
    /// `message.timestamp.type`.
    public var timestampType = TimestampType.createTime
    /// `message.timestamp.before.max.ms` and `…after.max.ms`: how far a record's time may be from this broker's clock.
    public var timestampBeforeMax: Duration?
    public var timestampAfterMax: Duration? = .milliseconds(3_600_000)
    /// `index.interval.bytes`.
    public var indexInterval = ByteCount(4096)
    /// `delete.retention.ms`: how long a tombstone is kept in a compacted log.
    public var tombstoneRetention = Duration.milliseconds(86_400_000)
    /// `min.cleanable.dirty.ratio`: compaction starts once this part of the log is dirty.
    public var dirtyRatioMin = 0.5
    /// `min.compaction.lag.ms`, `max.compaction.lag.ms`.
    public var compactionLagMin = Duration.zero
    public var compactionLagMax: Duration?
    /// `file.delete.delay.ms`: a deleted segment's bytes stay this long for readers that hold it.
    public var fileDeleteDelay = Duration.milliseconds(60_000)
    /// `millrace.durability`.
    public var durability = Durability.fsync
    /// `flush.ms`, at durability `interval`.
    public var flushInterval = Duration.milliseconds(1_000)
    /// `millrace.validate.records`: decode every record of every batch before it is taken, not its header alone.
    public var validatesRecords = false

    public init() {}

    /// Settings over the defaults. Throws `.invalidConfig` for a value out of range; a known Kafka name that means nothing to this log
    /// (`compression.type`, `min.insync.replicas`, …) is taken and kept by whoever owns the topic.
    public init(topicSettings: [String: String]) throws(LogError) {
        self.init()
        for (name, value) in topicSettings.sorted(by: { $0.key < $1.key }) { try set(name, to: value) }
    }

    /// Kafka's names of the settings that this type reads.
    public static let settingNames: [String] = [
        "cleanup.policy", "delete.retention.ms", "file.delete.delay.ms", "flush.ms", "index.interval.bytes",
        "max.compaction.lag.ms", "max.message.bytes", "message.timestamp.after.max.ms",
        "message.timestamp.before.max.ms", "message.timestamp.type", "millrace.durability",
        "millrace.validate.records", "min.cleanable.dirty.ratio", "min.compaction.lag.ms", "retention.bytes",
        "retention.ms", "segment.bytes", "segment.ms",
    ]

    /// Settings of Kafka's that a topic may carry though no log acts on them here.
    public static let carriedSettingNames: [String] = [
        "compression.gzip.level", "compression.lz4.level", "compression.type", "compression.zstd.level",
        "flush.messages", "follower.replication.throttled.replicas", "leader.replication.throttled.replicas",
        "local.retention.bytes", "local.retention.ms", "message.downconversion.enable", "min.insync.replicas",
        "preallocate", "remote.storage.enable", "segment.index.bytes", "segment.jitter.ms",
        "unclean.leader.election.enable",
    ]

    private mutating func set(_ name: String, to value: String) throws(LogError) {
        switch name {
        case "segment.bytes": segmentBytes = ByteCount(Int(try number(name, value, 14...Int64(Int32.max))))
        case "segment.ms": segmentAge = .milliseconds(try number(name, value, 1...))
        case "retention.ms": retentionAge = try limit(name, value).map { .milliseconds($0) }
        case "retention.bytes": retentionBytes = try limit(name, value).map { ByteCount(Int($0)) }
        case "cleanup.policy": try setCleanup(value)
        case "max.message.bytes": batchBytesMax = ByteCount(Int(try number(name, value, 0...Int64(Int32.max))))
        case "message.timestamp.type":
            guard value == "CreateTime" || value == "LogAppendTime" else {
                throw invalid(name, value, "CreateTime or LogAppendTime")
            }
            timestampType = value == "CreateTime" ? .createTime : .logAppendTime
        case "message.timestamp.before.max.ms": timestampBeforeMax = try age(name, value)
        case "message.timestamp.after.max.ms": timestampAfterMax = try age(name, value)
        case "index.interval.bytes": indexInterval = ByteCount(Int(try number(name, value, 0...Int64(Int32.max))))
        case "delete.retention.ms": tombstoneRetention = .milliseconds(try number(name, value, 0...))
        case "min.cleanable.dirty.ratio":
            guard let ratio = Double(value), (0...1).contains(ratio) else { throw invalid(name, value, "0 to 1") }
            dirtyRatioMin = ratio
        case "min.compaction.lag.ms": compactionLagMin = .milliseconds(try number(name, value, 0...))
        case "max.compaction.lag.ms": compactionLagMax = try age(name, value)
        case "file.delete.delay.ms": fileDeleteDelay = .milliseconds(try number(name, value, 0...))
        case "flush.ms": flushInterval = try age(name, value) ?? .milliseconds(1_000)
        case "millrace.durability":
            guard let level = Durability(rawValue: value) else {
                throw invalid(name, value, "fsync, interval or page-cache")
            }
            durability = level
        case "millrace.validate.records":
            guard value == "true" || value == "false" else { throw invalid(name, value, "true or false") }
            validatesRecords = value == "true"
        default:
            guard Self.carriedSettingNames.contains(name) else {
                throw LogError(.invalidConfig, "unknown topic setting \(name)")
            }
        }
    }

    private mutating func setCleanup(_ value: String) throws(LogError) {
        let words = value.split(separator: ",").map { String($0.drop { $0 == " " }) }
        guard !words.isEmpty, words.allSatisfy({ $0 == "delete" || $0 == "compact" }) else {
            throw invalid("cleanup.policy", value, "delete, compact or compact,delete")
        }
        deletes = words.contains("delete")
        compacts = words.contains("compact")
    }

    private func number(_ name: String, _ value: String, _ range: some RangeExpression<Int64>) throws(LogError) -> Int64
    {
        guard let number = Int64(value), range ~= number else { throw invalid(name, value, "\(range)") }
        return number
    }

    /// Nil for −1.
    private func limit(_ name: String, _ value: String) throws(LogError) -> Int64? {
        let number = try number(name, value, (-1)...)
        return number < 0 ? nil : number
    }

    /// Nil for Int64.max, with which Kafka says "no limit" for these.
    private func age(_ name: String, _ value: String) throws(LogError) -> Duration? {
        let number = try number(name, value, 0...)
        return number == .max ? nil : .milliseconds(number)
    }

    private func invalid(_ name: String, _ value: String, _ expected: String) -> LogError {
        LogError(.invalidConfig, "\(name) = \(value): expected \(expected)")
    }

    /// The value of each setting under Kafka's name, as DescribeConfigs shows it.
    public var settings: [(name: String, value: String)] {
        let policy = [compacts ? "compact" : nil, deletes ? "delete" : nil].compactMap(\.self).joined(separator: ",")
        func age(_ duration: Duration?) -> String { String(duration?.milliseconds ?? .max) }
        return [
            ("cleanup.policy", policy),
            ("delete.retention.ms", String(tombstoneRetention.milliseconds)),
            ("file.delete.delay.ms", String(fileDeleteDelay.milliseconds)),
            ("flush.ms", String(flushInterval.milliseconds)),
            ("index.interval.bytes", String(indexInterval.bytes)),
            ("max.compaction.lag.ms", age(compactionLagMax)),
            ("max.message.bytes", String(batchBytesMax.bytes)),
            ("message.timestamp.after.max.ms", age(timestampAfterMax)),
            ("message.timestamp.before.max.ms", age(timestampBeforeMax)),
            ("message.timestamp.type", timestampType == .createTime ? "CreateTime" : "LogAppendTime"),
            ("millrace.durability", durability.rawValue),
            ("millrace.validate.records", String(validatesRecords)),
            ("min.cleanable.dirty.ratio", String(dirtyRatioMin)),
            ("min.compaction.lag.ms", String(compactionLagMin.milliseconds)),
            ("retention.bytes", String(retentionBytes?.bytes ?? -1)),
            ("retention.ms", String(retentionAge?.milliseconds ?? -1)),
            ("segment.bytes", String(segmentBytes.bytes)),
            ("segment.ms", String(segmentAge.milliseconds)),
        ]
    }
}
