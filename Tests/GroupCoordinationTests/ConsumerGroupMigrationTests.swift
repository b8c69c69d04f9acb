import Base
import KafkaWire
import NIOCore
import Testing

@testable import GroupCoordination

/// Groups that go over from one protocol to the other while their members live (KIP-848).
@Suite struct ConsumerGroupMigrationTests {
    private static let topic = TopicID(high: 1, low: 1)

    private static func subscription(_ owned: [Int32] = []) throws -> ByteBuffer {
        var subscription = ConsumerSubscription()
        subscription.topics = ["t"]
        if !owned.isEmpty { subscription.ownedPartitions = [.init(topic: "t", partitions: owned)] }
        return try subscription.encode(version: 1)
    }

    private static func partitions(_ bytes: ByteBuffer) throws -> [Int32] {
        try ConsumerAssignment.decode(bytes).assignedPartitions.flatMap(\.partitions).sorted()
    }

    /// A stable group of the classic protocol, of generation 7: who has which partitions of `t`.
    private static func classic(_ owned: [String: [Int32]], instances: [String: String] = [:]) throws -> GroupMachine {
        var value = GroupMetadataValue()
        value.protocolType = "consumer"
        value.protocol = "range"
        value.generation = 7
        value.leader = owned.keys.sorted().first
        value.members = try owned.sorted { $0.key < $1.key }.map { id, partitions in
            var assignment = ConsumerAssignment()
            assignment.assignedPartitions = [.init(topic: "t", partitions: partitions)]
            var member = GroupMetadataValue.MemberMetadata()
            member.memberId = id
            member.groupInstanceId = instances[id]
            member.rebalanceTimeout = 30_000
            member.sessionTimeout = 10_000
            member.subscription = try subscription()
            if !partitions.isEmpty { member.assignment = try assignment.encode(version: 0) }
            return member
        }
        return GroupMachine(id: "g", restoring: value, settings: GroupSettings(), now: .zero)
    }

    private static func migrated(
        _ owned: [String: [Int32]], instances: [String: String] = [:]
    ) throws -> ConsumerTranscript {
        var transcript = ConsumerTranscript()
        let classic = try classic(owned, instances: instances)
        transcript.group = try #require(
            ConsumerGroupMachine(migrating: classic, topics: transcript.topics, now: transcript.now))
        transcript.write(transcript.group.allRecords)
        return transcript
    }

    private static func join(
        _ id: String, owned: [Int32] = [], instance: String? = nil, protocols: [String] = ["range"],
        knownIDRequired: Bool = false
    ) throws -> JoinRequest {
        let metadata = try subscription(owned)
        return JoinRequest(
            memberID: id, instanceID: instance, clientID: "c", clientHost: "/127.0.0.1", protocolType: "consumer",
            protocols: protocols.map { GroupMember.Assignor(name: $0, metadata: metadata) },
            sessionTimeout: .seconds(10), rebalanceTimeout: .seconds(30), requiresKnownMemberID: knownIDRequired,
            newMemberID: "fresh")
    }

    private static func sync(_ id: String, _ generation: Int32) -> SyncRequest {
        SyncRequest(
            memberID: id, instanceID: nil, generation: generation, protocolType: "consumer", protocolName: "range",
            assignments: [:])
    }

    @Test func eachMemberIsWhereItWas() throws {
        var transcript = try Self.migrated(["a": [0, 1], "b": [2, 3], "idle": []])
        #expect(transcript.group.epoch == 7 && transcript.group.stateName == "Stable")
        #expect(transcript.group.members["b"]?.assigned == MemberAssignment([Self.topic: [2, 3]]))
        let beat = transcript.group.classicHeartbeatReceived(
            memberID: "a", instanceID: nil, generation: 7, now: transcript.now)
        #expect(beat == .none)
        let before = transcript.group
        try transcript.restart()
        #expect(transcript.group.members == before.members && transcript.group.targets == before.targets)
    }

    @Test func aMemberOfEachProtocolShareATopic() throws {
        var transcript = try Self.migrated(["a": [0, 1, 2, 3]])
        transcript.join("new")
        #expect(transcript.answer?.epoch == 8 && transcript.count("new") == 0)
        #expect(
            transcript.group.classicHeartbeatReceived(memberID: "a", instanceID: nil, generation: 7, now: .zero)
                == .rebalanceInProgress)
        // Cooperative: it joins with what it owns, hears what it may keep, and joins again once it gave up the rest.
        let topics = transcript.topics
        let first = try transcript.group.classicJoinReceived(
            Self.join("a", owned: [0, 1, 2, 3]), topics: topics, now: .zero
        ).answer
        #expect(first.error == .none && first.generation == 7 && first.leader.isEmpty && first.protocolName == "range")
        let kept = try Self.partitions(
            transcript.group.classicSyncReceived(Self.sync("a", 7), topics: topics, now: .zero).assignment)
        #expect(kept.count == 2)
        transcript.beat("new")
        #expect(transcript.count("new") == 0)
        #expect(
            transcript.group.classicHeartbeatReceived(memberID: "a", instanceID: nil, generation: 7, now: .zero)
                == .rebalanceInProgress)
        let second = try transcript.group.classicJoinReceived(
            Self.join("a", owned: kept), topics: topics, now: .zero
        ).answer
        #expect(second.generation == 8)
        let synced = transcript.group.classicSyncReceived(Self.sync("a", 8), topics: topics, now: .zero)
        #expect(try Self.partitions(synced.assignment) == kept)
        transcript.beat("new")
        #expect(Set(transcript.owned("new") + kept) == [0, 1, 2, 3])
        #expect(transcript.group.stateName == "Stable")
        // Each commits by what it knows of itself.
        #expect(transcript.group.offsetsRequested(memberID: "a", epoch: 8, writes: true) == .none)
        #expect(transcript.group.offsetsRequested(memberID: "a", epoch: 7, writes: true) == .illegalGeneration)
        #expect(transcript.group.offsetsRequested(memberID: "new", epoch: 7, writes: true) == .staleMemberEpoch)
    }

    @Test func aMemberHearsOfPartitionsThatBecomeFree() throws {
        var transcript = ConsumerTranscript()
        transcript.join("new")
        let topics = transcript.topics
        var answer = try transcript.group.classicJoinReceived(
            Self.join("", knownIDRequired: true), topics: topics, now: .zero
        ).answer
        #expect(answer.error == .memberIdRequired && transcript.group.members.count == 1)
        answer = try transcript.group.classicJoinReceived(Self.join(answer.memberID), topics: topics, now: .zero).answer
        let generation = answer.generation
        #expect(generation == 2)
        func beat() -> ErrorCode {
            transcript.group.classicHeartbeatReceived(
                memberID: "fresh", instanceID: nil, generation: generation, now: .zero)
        }
        let nothing = transcript.group.classicSyncReceived(Self.sync("fresh", 2), topics: topics, now: .zero)
        #expect(try Self.partitions(nothing.assignment) == [])
        #expect(beat() == .none)
        transcript.settle(["new"])
        #expect(beat() == .rebalanceInProgress)
        _ = try transcript.group.classicJoinReceived(Self.join("fresh"), topics: topics, now: .zero)
        let all = transcript.group.classicSyncReceived(Self.sync("fresh", 2), topics: topics, now: .zero)
        #expect(try Self.partitions(all.assignment).count == 2)
    }

    @Test func whoDoesNotJoinAgainIsDropped() throws {
        var transcript = try Self.migrated(["a": [0, 1, 2, 3]])
        transcript.join("new")
        for _ in 0..<4 {
            let beat = transcript.group.classicHeartbeatReceived(
                memberID: "a", instanceID: nil, generation: 7, now: transcript.now)
            #expect(beat == .rebalanceInProgress)
            transcript.pass(.seconds(9))
            transcript.beat("new")
        }
        #expect(Array(transcript.group.members.keys) == ["new"])
        #expect(transcript.owned("new") == [0, 1, 2, 3])
    }

    /// It was dropped without knowing: others may read what it says that it owns.
    @Test func aStrangerThatOwnsPartitionsIsUnknown() throws {
        var transcript = try Self.migrated(["a": [0, 1, 2, 3]])
        let topics = transcript.topics
        #expect(throws: ConsumerGroupRefusal(.unknownMemberId, "the group has no member 'z'")) {
            try transcript.group.classicJoinReceived(Self.join("z", owned: [1]), topics: topics, now: .zero)
        }
        #expect(Array(transcript.group.members.keys) == ["a"])
    }

    @Test func aStaticMemberGoesOverWithItsPartitions() throws {
        var transcript = try Self.migrated(["a": [0, 1], "b": [2, 3]], instances: ["a": "i"])
        transcript.join("a2", instance: "i")
        #expect(transcript.owned("a2") == [0, 1])
        #expect(!transcript.group.isClassic("a2") && transcript.group.isClassic("b"))
        #expect(
            transcript.group.classicHeartbeatReceived(memberID: "a", instanceID: "i", generation: 7, now: .zero)
                == .fencedInstanceId)
    }

    @Test func withItsLastNewMemberTheGroupIsClassicAgain() throws {
        var transcript = try Self.migrated(["a": [0, 1], "b": [2, 3]])
        #expect(transcript.group.isClassicAgain)
        transcript.join("new")
        #expect(!transcript.group.isClassicAgain)
        transcript.leave("new")
        #expect(transcript.group.isClassicAgain)
        let consumers = transcript.group
        var classic = GroupMachine(migrating: consumers, topics: transcript.topics, now: .zero)
        #expect(classic.state == .stable && classic.generation == consumers.epoch)
        #expect(classic.members.map(\.id) == ["a", "b"])
        #expect(try Self.partitions(classic.members[1].assignment) == [2, 3])
        #expect(classic.rebalanceRequested(now: .zero).isEmpty)
        #expect(
            classic.heartbeatReceived(memberID: "a", instanceID: nil, generation: classic.generation, now: .zero)
                == .rebalanceInProgress)
        var answers: [JoinAnswer] = []
        for (number, id) in ["a", "b"].enumerated() {
            let actions = try classic.joinReceived(
                Self.join(id), id: GroupRequestID(UInt64(number)), now: .zero, wallTime: Timestamp(milliseconds: 1))
            for case .answerJoin(_, let answer) in actions { answers.append(answer) }
        }
        #expect(answers.map(\.error) == [.none, .none] && Set(answers.map(\.leader)).count == 1)
        // Once it is another group, it takes no more requests as this one.
        transcript.group.migrationBegan()
        transcript.join("late")
        #expect(transcript.refusal == .coordinatorNotAvailable)
        transcript.pass(.seconds(100))
        #expect(transcript.lastRecords.isEmpty)
    }

    @Test func onlyAStableGroupOfConsumersGoesOver() throws {
        let topics = ConsumerTranscript().topics
        var rebalancing = try Self.classic(["a": [0, 1, 2, 3]])
        _ = rebalancing.rebalanceRequested(now: .zero)
        #expect(ConsumerGroupMachine(migrating: rebalancing, topics: topics, now: .zero) == nil)
        // Its members' metadata is no subscription.
        #expect(ConsumerGroupMachine(migrating: GroupTranscript.stable(["a"]).group, topics: topics, now: .zero) == nil)
    }

    @Test func anAssignorIsCommonToAllClassicMembers() throws {
        var transcript = try Self.migrated(["a": [0, 1, 2, 3]])
        let topics = transcript.topics
        #expect(throws: ConsumerGroupRefusal.self) {
            try transcript.group.classicJoinReceived(
                Self.join("", protocols: ["sticky"]), topics: topics, now: .zero)
        }
        #expect(transcript.group.members.count == 1)
    }
}
