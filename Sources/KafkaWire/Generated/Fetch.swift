// swift-format-ignore-file
// Generated from Schemas/apis/Fetch.schema by `swift run WireGenerator`. Don't edit: change the schema and generate again.

import Base
import NIOCore

/// Request 1. Versions 4 to 18, flexible from 12.
public struct FetchRequest: WireRequest {
    public typealias Response = FetchResponse
    public static let messageName: StaticString = "FetchRequest"
    public static let apiKey: ApiKey = .fetch
    public static let versions: ClosedRange<Int16> = 4...18
    public static func isFlexible(_ version: Int16) -> Bool { version >= 12 }

    /// Versions from 12, dropped in others.
    public var clusterId: String? = nil
    /// Versions 4 to 14.
    public var replicaId: Int32 = -1
    /// Versions from 15.
    public var replicaState: ReplicaState = ReplicaState()
    public var maxWaitMs: Int32 = 0
    public var minBytes: Int32 = 0
    public var maxBytes: Int32 = 2147483647
    public var isolationLevel: Int8 = 0
    /// Versions from 7, dropped in others.
    public var sessionId: Int32 = 0
    /// Versions from 7, dropped in others.
    public var sessionEpoch: Int32 = -1
    public var topics: [FetchTopic] = []
    /// Versions from 7.
    public var forgottenTopicsData: [ForgottenTopic] = []
    /// Versions from 11, dropped in others.
    public var rackId: String = ""

    public init() {}

    public init(
        clusterId: String? = nil,
        replicaId: Int32 = -1,
        replicaState: ReplicaState = ReplicaState(),
        maxWaitMs: Int32 = 0,
        minBytes: Int32 = 0,
        maxBytes: Int32 = 2147483647,
        isolationLevel: Int8 = 0,
        sessionId: Int32 = 0,
        sessionEpoch: Int32 = -1,
        topics: [FetchTopic] = [],
        forgottenTopicsData: [ForgottenTopic] = [],
        rackId: String = ""
    ) {
        self.clusterId = clusterId
        self.replicaId = replicaId
        self.replicaState = replicaState
        self.maxWaitMs = maxWaitMs
        self.minBytes = minBytes
        self.maxBytes = maxBytes
        self.isolationLevel = isolationLevel
        self.sessionId = sessionId
        self.sessionEpoch = sessionEpoch
        self.topics = topics
        self.forgottenTopicsData = forgottenTopicsData
        self.rackId = rackId
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 12
        if version <= 14 {
            replicaId = try reader.readInt32()
        }
        maxWaitMs = try reader.readInt32()
        minBytes = try reader.readInt32()
        maxBytes = try reader.readInt32()
        isolationLevel = try reader.readInt8()
        if version >= 7 {
            sessionId = try reader.readInt32()
        }
        if version >= 7 {
            sessionEpoch = try reader.readInt32()
        }
        topics = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 7 {
            forgottenTopicsData = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        }
        if version >= 11 {
            rackId = try reader.readString(flexible)
        }
        if version >= 12 {
            let taggedCount: Int = try reader.readTaggedFieldCount()
            for _ in 0..<taggedCount {
                let tagged: WireReader.TaggedField = try reader.readTaggedField()
                switch tagged.tag {
                case 0:
                    clusterId = try reader.readNullableString(true)
                case 1 where version >= 15:
                    replicaState = try ReplicaState(from: &reader, version: version)
                default:
                    try reader.skip(tagged)
                }
                try reader.checkEnd(of: tagged)
            }
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 12
        if version <= 14 {
            writer.write(replicaId)
        } else if replicaId != -1 { throw WireError.unsupportedField("FetchRequest.replicaId", version) }
        writer.write(maxWaitMs)
        writer.write(minBytes)
        writer.write(maxBytes)
        writer.write(isolationLevel)
        if version >= 7 {
            writer.write(sessionId)
        }
        if version >= 7 {
            writer.write(sessionEpoch)
        }
        try writer.write(topics, flexible, version)
        if version >= 7 {
            try writer.write(forgottenTopicsData, flexible, version)
        } else if !forgottenTopicsData.isEmpty { throw WireError.unsupportedField("FetchRequest.forgottenTopicsData", version) }
        if version >= 11 {
            try writer.write(rackId, flexible)
        }
        if !(version >= 15) && replicaState != ReplicaState() { throw WireError.unsupportedField("FetchRequest.replicaState", version) }
        if version >= 12 {
            let hasClusterId: Bool = clusterId != nil
            let hasReplicaState: Bool = version >= 15 && replicaState != ReplicaState()
            var taggedCount: UInt32 = 0
            if hasClusterId { taggedCount += 1 }
            if hasReplicaState { taggedCount += 1 }
            writer.writeUnsignedVarint(taggedCount)
            if hasClusterId {
                let start: Int = writer.beginTaggedField(0)
                try writer.writeNullable(clusterId, true)
                try writer.endTaggedField(start)
            }
            if hasReplicaState {
                let start: Int = writer.beginTaggedField(1)
                try replicaState.encode(into: &writer, version: version)
                try writer.endTaggedField(start)
            }
        }
    }

    public struct ReplicaState: WireStruct {
        public var replicaId: Int32 = -1
        public var replicaEpoch: Int64 = -1

        public init() {}

        public init(
            replicaId: Int32 = -1,
            replicaEpoch: Int64 = -1
        ) {
            self.replicaId = replicaId
            self.replicaEpoch = replicaEpoch
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            replicaId = try reader.readInt32()
            replicaEpoch = try reader.readInt64()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(replicaId)
            writer.write(replicaEpoch)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct FetchTopic: WireStruct {
        /// Versions 4 to 12, dropped in others.
        public var topic: String = ""
        /// Versions from 13, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var partitions: [FetchPartition] = []

        public init() {}

        public init(
            topic: String = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            partitions: [FetchPartition] = []
        ) {
            self.topic = topic
            self.topicId = topicId
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 12
            if version <= 12 {
                topic = try reader.readString(flexible)
            }
            if version >= 13 {
                topicId = try reader.readUUID()
            }
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 33 : 16)
            if version >= 12 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 12
            if version <= 12 {
                try writer.write(topic, flexible)
            }
            if version >= 13 {
                writer.write(topicId)
            }
            try writer.write(partitions, flexible, version)
            if version >= 12 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct FetchPartition: WireStruct {
        public var partition: Int32 = 0
        /// Versions from 9, dropped in others.
        public var currentLeaderEpoch: Int32 = -1
        public var fetchOffset: Int64 = 0
        /// Versions from 12.
        public var lastFetchedEpoch: Int32 = -1
        /// Versions from 5, dropped in others.
        public var logStartOffset: Int64 = -1
        public var partitionMaxBytes: Int32 = 0
        /// Versions from 17, dropped in others.
        public var replicaDirectoryId: KafkaUUID = KafkaUUID.zero
        /// Versions from 18, dropped in others.
        public var highWatermark: Int64 = 9223372036854775807

        public init() {}

        public init(
            partition: Int32 = 0,
            currentLeaderEpoch: Int32 = -1,
            fetchOffset: Int64 = 0,
            lastFetchedEpoch: Int32 = -1,
            logStartOffset: Int64 = -1,
            partitionMaxBytes: Int32 = 0,
            replicaDirectoryId: KafkaUUID = KafkaUUID.zero,
            highWatermark: Int64 = 9223372036854775807
        ) {
            self.partition = partition
            self.currentLeaderEpoch = currentLeaderEpoch
            self.fetchOffset = fetchOffset
            self.lastFetchedEpoch = lastFetchedEpoch
            self.logStartOffset = logStartOffset
            self.partitionMaxBytes = partitionMaxBytes
            self.replicaDirectoryId = replicaDirectoryId
            self.highWatermark = highWatermark
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            partition = try reader.readInt32()
            if version >= 9 {
                currentLeaderEpoch = try reader.readInt32()
            }
            fetchOffset = try reader.readInt64()
            if version >= 12 {
                lastFetchedEpoch = try reader.readInt32()
            }
            if version >= 5 {
                logStartOffset = try reader.readInt64()
            }
            partitionMaxBytes = try reader.readInt32()
            if version >= 12 {
                let taggedCount: Int = try reader.readTaggedFieldCount()
                for _ in 0..<taggedCount {
                    let tagged: WireReader.TaggedField = try reader.readTaggedField()
                    switch tagged.tag {
                    case 0 where version >= 17:
                        replicaDirectoryId = try reader.readUUID()
                    case 1 where version >= 18:
                        highWatermark = try reader.readInt64()
                    default:
                        try reader.skip(tagged)
                    }
                    try reader.checkEnd(of: tagged)
                }
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(partition)
            if version >= 9 {
                writer.write(currentLeaderEpoch)
            }
            writer.write(fetchOffset)
            if version >= 12 {
                writer.write(lastFetchedEpoch)
            } else if lastFetchedEpoch != -1 { throw WireError.unsupportedField("FetchRequest.FetchPartition.lastFetchedEpoch", version) }
            if version >= 5 {
                writer.write(logStartOffset)
            }
            writer.write(partitionMaxBytes)
            if version >= 12 {
                let hasReplicaDirectoryId: Bool = version >= 17 && replicaDirectoryId != KafkaUUID.zero
                let hasHighWatermark: Bool = version >= 18 && highWatermark != 9223372036854775807
                var taggedCount: UInt32 = 0
                if hasReplicaDirectoryId { taggedCount += 1 }
                if hasHighWatermark { taggedCount += 1 }
                writer.writeUnsignedVarint(taggedCount)
                if hasReplicaDirectoryId {
                    let start: Int = writer.beginTaggedField(0)
                    writer.write(replicaDirectoryId)
                    try writer.endTaggedField(start)
                }
                if hasHighWatermark {
                    let start: Int = writer.beginTaggedField(1)
                    writer.write(highWatermark)
                    try writer.endTaggedField(start)
                }
            }
        }
    }

    public struct ForgottenTopic: WireStruct {
        /// Versions 7 to 12, dropped in others.
        public var topic: String = ""
        /// Versions from 13, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var partitions: [Int32] = []

        public init() {}

        public init(
            topic: String = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            partitions: [Int32] = []
        ) {
            self.topic = topic
            self.topicId = topicId
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 12
            if version <= 12 {
                topic = try reader.readString(flexible)
            }
            if version >= 13 {
                topicId = try reader.readUUID()
            }
            partitions = try reader.readArray(flexible)
            if version >= 12 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 12
            if version <= 12 {
                try writer.write(topic, flexible)
            }
            if version >= 13 {
                writer.write(topicId)
            }
            try writer.write(partitions, flexible)
            if version >= 12 {
                writer.writeUnsignedVarint(0)
            }
        }
    }
}

/// Response 1. Versions 4 to 18, flexible from 12.
public struct FetchResponse: WireResponse {
    public static let messageName: StaticString = "FetchResponse"
    public static let apiKey: ApiKey = .fetch
    public static let versions: ClosedRange<Int16> = 4...18
    public static func isFlexible(_ version: Int16) -> Bool { version >= 12 }

    public var throttleTimeMs: Int32 = 0
    /// Versions from 7, dropped in others.
    public var errorCode: ErrorCode = ErrorCode.none
    /// Versions from 7.
    public var sessionId: Int32 = 0
    public var responses: [FetchableTopicResponse] = []
    /// Versions from 16.
    public var nodeEndpoints: [NodeEndpoint] = []

    public init() {}

    public init(
        throttleTimeMs: Int32 = 0,
        errorCode: ErrorCode = ErrorCode.none,
        sessionId: Int32 = 0,
        responses: [FetchableTopicResponse] = [],
        nodeEndpoints: [NodeEndpoint] = []
    ) {
        self.throttleTimeMs = throttleTimeMs
        self.errorCode = errorCode
        self.sessionId = sessionId
        self.responses = responses
        self.nodeEndpoints = nodeEndpoints
    }

    public init(from reader: inout WireReader, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        self.init()
        let flexible: Bool = version >= 12
        throttleTimeMs = try reader.readInt32()
        if version >= 7 {
            errorCode = try reader.readErrorCode()
        }
        if version >= 7 {
            sessionId = try reader.readInt32()
        }
        responses = try reader.readArray(flexible, version, elementBytesMin: flexible ? 3 : 6)
        if version >= 12 {
            let taggedCount: Int = try reader.readTaggedFieldCount()
            for _ in 0..<taggedCount {
                let tagged: WireReader.TaggedField = try reader.readTaggedField()
                switch tagged.tag {
                case 0 where version >= 16:
                    nodeEndpoints = try reader.readArray(true, version, elementBytesMin: 11)
                default:
                    try reader.skip(tagged)
                }
                try reader.checkEnd(of: tagged)
            }
        }
    }

    public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
        guard Self.versions.contains(version) else {
            throw WireError.unsupportedVersion(Self.messageName, version, Self.versions)
        }
        let flexible: Bool = version >= 12
        writer.write(throttleTimeMs)
        if version >= 7 {
            writer.write(errorCode)
        }
        if version >= 7 {
            writer.write(sessionId)
        } else if sessionId != 0 { throw WireError.unsupportedField("FetchResponse.sessionId", version) }
        try writer.write(responses, flexible, version)
        if !(version >= 16) && !nodeEndpoints.isEmpty { throw WireError.unsupportedField("FetchResponse.nodeEndpoints", version) }
        if version >= 12 {
            let hasNodeEndpoints: Bool = version >= 16 && !nodeEndpoints.isEmpty
            var taggedCount: UInt32 = 0
            if hasNodeEndpoints { taggedCount += 1 }
            writer.writeUnsignedVarint(taggedCount)
            if hasNodeEndpoints {
                let start: Int = writer.beginTaggedField(0)
                try writer.write(nodeEndpoints, true, version)
                try writer.endTaggedField(start)
            }
        }
    }

    public struct FetchableTopicResponse: WireStruct {
        /// Versions 4 to 12, dropped in others.
        public var topic: String = ""
        /// Versions from 13, dropped in others.
        public var topicId: KafkaUUID = KafkaUUID.zero
        public var partitions: [PartitionData] = []

        public init() {}

        public init(
            topic: String = "",
            topicId: KafkaUUID = KafkaUUID.zero,
            partitions: [PartitionData] = []
        ) {
            self.topic = topic
            self.topicId = topicId
            self.partitions = partitions
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 12
            if version <= 12 {
                topic = try reader.readString(flexible)
            }
            if version >= 13 {
                topicId = try reader.readUUID()
            }
            partitions = try reader.readArray(flexible, version, elementBytesMin: flexible ? 37 : 30)
            if version >= 12 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 12
            if version <= 12 {
                try writer.write(topic, flexible)
            }
            if version >= 13 {
                writer.write(topicId)
            }
            try writer.write(partitions, flexible, version)
            if version >= 12 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct PartitionData: WireStruct {
        public var partitionIndex: Int32 = 0
        public var errorCode: ErrorCode = ErrorCode.none
        public var highWatermark: Int64 = 0
        public var lastStableOffset: Int64 = -1
        /// Versions from 5, dropped in others.
        public var logStartOffset: Int64 = -1
        /// Versions from 12.
        public var divergingEpoch: EpochEndOffset = EpochEndOffset()
        /// Versions from 12.
        public var currentLeader: LeaderIdAndEpoch = LeaderIdAndEpoch()
        /// Versions from 12.
        public var snapshotId: SnapshotId = SnapshotId()
        public var abortedTransactions: [AbortedTransaction]? = []
        /// Versions from 11.
        public var preferredReadReplica: Int32 = -1
        public var records: WireRecords? = nil

        public init() {}

        public init(
            partitionIndex: Int32 = 0,
            errorCode: ErrorCode = ErrorCode.none,
            highWatermark: Int64 = 0,
            lastStableOffset: Int64 = -1,
            logStartOffset: Int64 = -1,
            divergingEpoch: EpochEndOffset = EpochEndOffset(),
            currentLeader: LeaderIdAndEpoch = LeaderIdAndEpoch(),
            snapshotId: SnapshotId = SnapshotId(),
            abortedTransactions: [AbortedTransaction]? = [],
            preferredReadReplica: Int32 = -1,
            records: WireRecords? = nil
        ) {
            self.partitionIndex = partitionIndex
            self.errorCode = errorCode
            self.highWatermark = highWatermark
            self.lastStableOffset = lastStableOffset
            self.logStartOffset = logStartOffset
            self.divergingEpoch = divergingEpoch
            self.currentLeader = currentLeader
            self.snapshotId = snapshotId
            self.abortedTransactions = abortedTransactions
            self.preferredReadReplica = preferredReadReplica
            self.records = records
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            let flexible: Bool = version >= 12
            partitionIndex = try reader.readInt32()
            errorCode = try reader.readErrorCode()
            highWatermark = try reader.readInt64()
            lastStableOffset = try reader.readInt64()
            if version >= 5 {
                logStartOffset = try reader.readInt64()
            }
            abortedTransactions = try reader.readNullableArray(flexible, version, elementBytesMin: flexible ? 17 : 16)
            if version >= 11 {
                preferredReadReplica = try reader.readInt32()
            }
            records = try reader.readRecords(flexible)
            if version >= 12 {
                let taggedCount: Int = try reader.readTaggedFieldCount()
                for _ in 0..<taggedCount {
                    let tagged: WireReader.TaggedField = try reader.readTaggedField()
                    switch tagged.tag {
                    case 0:
                        divergingEpoch = try EpochEndOffset(from: &reader, version: version)
                    case 1:
                        currentLeader = try LeaderIdAndEpoch(from: &reader, version: version)
                    case 2:
                        snapshotId = try SnapshotId(from: &reader, version: version)
                    default:
                        try reader.skip(tagged)
                    }
                    try reader.checkEnd(of: tagged)
                }
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            let flexible: Bool = version >= 12
            writer.write(partitionIndex)
            writer.write(errorCode)
            writer.write(highWatermark)
            writer.write(lastStableOffset)
            if version >= 5 {
                writer.write(logStartOffset)
            }
            try writer.writeNullable(abortedTransactions, flexible, version)
            if version >= 11 {
                writer.write(preferredReadReplica)
            } else if preferredReadReplica != -1 { throw WireError.unsupportedField("FetchResponse.PartitionData.preferredReadReplica", version) }
            try writer.writeNullable(records, flexible)
            if !(version >= 12) && divergingEpoch != EpochEndOffset() { throw WireError.unsupportedField("FetchResponse.PartitionData.divergingEpoch", version) }
            if !(version >= 12) && currentLeader != LeaderIdAndEpoch() { throw WireError.unsupportedField("FetchResponse.PartitionData.currentLeader", version) }
            if !(version >= 12) && snapshotId != SnapshotId() { throw WireError.unsupportedField("FetchResponse.PartitionData.snapshotId", version) }
            if version >= 12 {
                let hasDivergingEpoch: Bool = divergingEpoch != EpochEndOffset()
                let hasCurrentLeader: Bool = currentLeader != LeaderIdAndEpoch()
                let hasSnapshotId: Bool = snapshotId != SnapshotId()
                var taggedCount: UInt32 = 0
                if hasDivergingEpoch { taggedCount += 1 }
                if hasCurrentLeader { taggedCount += 1 }
                if hasSnapshotId { taggedCount += 1 }
                writer.writeUnsignedVarint(taggedCount)
                if hasDivergingEpoch {
                    let start: Int = writer.beginTaggedField(0)
                    try divergingEpoch.encode(into: &writer, version: version)
                    try writer.endTaggedField(start)
                }
                if hasCurrentLeader {
                    let start: Int = writer.beginTaggedField(1)
                    try currentLeader.encode(into: &writer, version: version)
                    try writer.endTaggedField(start)
                }
                if hasSnapshotId {
                    let start: Int = writer.beginTaggedField(2)
                    try snapshotId.encode(into: &writer, version: version)
                    try writer.endTaggedField(start)
                }
            }
        }
    }

    public struct EpochEndOffset: WireStruct {
        public var epoch: Int32 = -1
        public var endOffset: Int64 = -1

        public init() {}

        public init(
            epoch: Int32 = -1,
            endOffset: Int64 = -1
        ) {
            self.epoch = epoch
            self.endOffset = endOffset
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            epoch = try reader.readInt32()
            endOffset = try reader.readInt64()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(epoch)
            writer.write(endOffset)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct LeaderIdAndEpoch: WireStruct {
        public var leaderId: Int32 = -1
        public var leaderEpoch: Int32 = -1

        public init() {}

        public init(
            leaderId: Int32 = -1,
            leaderEpoch: Int32 = -1
        ) {
            self.leaderId = leaderId
            self.leaderEpoch = leaderEpoch
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            leaderId = try reader.readInt32()
            leaderEpoch = try reader.readInt32()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(leaderId)
            writer.write(leaderEpoch)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct SnapshotId: WireStruct {
        public var endOffset: Int64 = -1
        public var epoch: Int32 = -1

        public init() {}

        public init(
            endOffset: Int64 = -1,
            epoch: Int32 = -1
        ) {
            self.endOffset = endOffset
            self.epoch = epoch
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            endOffset = try reader.readInt64()
            epoch = try reader.readInt32()
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(endOffset)
            writer.write(epoch)
            writer.writeUnsignedVarint(0)
        }
    }

    public struct AbortedTransaction: WireStruct {
        public var producerId: Int64 = 0
        public var firstOffset: Int64 = 0

        public init() {}

        public init(
            producerId: Int64 = 0,
            firstOffset: Int64 = 0
        ) {
            self.producerId = producerId
            self.firstOffset = firstOffset
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            producerId = try reader.readInt64()
            firstOffset = try reader.readInt64()
            if version >= 12 {
                try reader.skipTaggedFields()
            }
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(producerId)
            writer.write(firstOffset)
            if version >= 12 {
                writer.writeUnsignedVarint(0)
            }
        }
    }

    public struct NodeEndpoint: WireStruct {
        public var nodeId: Int32 = 0
        public var host: String = ""
        public var port: Int32 = 0
        public var rack: String? = nil

        public init() {}

        public init(
            nodeId: Int32 = 0,
            host: String = "",
            port: Int32 = 0,
            rack: String? = nil
        ) {
            self.nodeId = nodeId
            self.host = host
            self.port = port
            self.rack = rack
        }

        public init(from reader: inout WireReader, version: Int16) throws(WireError) {
            self.init()
            nodeId = try reader.readInt32()
            host = try reader.readString(true)
            port = try reader.readInt32()
            rack = try reader.readNullableString(true)
            try reader.skipTaggedFields()
        }

        public func encode(into writer: inout WireWriter, version: Int16) throws(WireError) {
            writer.write(nodeId)
            try writer.write(host, true)
            writer.write(port)
            try writer.writeNullable(rack, true)
            writer.writeUnsignedVarint(0)
        }
    }
}
