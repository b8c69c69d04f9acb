import Base
import KafkaWire

@testable import GroupCoordination

/// Drives one consumer group by hand-moved time. A member sends what a client would: what it owns, once it has taken what it was told.
struct ConsumerTranscript {
    struct Member {
        var id: String
        var instanceID: String?
        var topics: [String]?
        var pattern: String?
        var assignor: String?
        var epoch: Int32 = 0
        var owned = MemberAssignment()
    }

    var group: ConsumerGroupMachine
    var topics = TopicImage()
    var now = Instant.zero
    var members: [String: Member] = [:]
    /// Everything that was ever written.
    private(set) var log: [GroupRecord] = []
    private(set) var refusal: ErrorCode?
    private(set) var answer: ConsumerHeartbeatAnswer?
    private(set) var lastRecords: [GroupRecord] = []

    static let idOfTopic: [String: TopicID] = [
        "t": TopicID(high: 1, low: 1), "u": TopicID(high: 1, low: 2), "logs.a": TopicID(high: 1, low: 3),
        "logs.b": TopicID(high: 1, low: 4), "__own": TopicID(high: 1, low: 5),
    ]

    init(settings: GroupSettings = GroupSettings(), topics counts: [String: Int32] = ["t": 4]) {
        group = ConsumerGroupMachine(id: "g", settings: settings)
        for (topic, count) in counts.sorted(by: { $0.key < $1.key }) { grow(topic, to: count) }
    }

    mutating func grow(_ topic: String, to count: Int32) {
        topics[topic] = TopicImage.Topic(
            id: Self.idOfTopic[topic] ?? .zero, partitionCount: count, isInternal: topic.hasPrefix("__"))
    }

    /// Sends a request as it is.
    mutating func send(_ request: ConsumerHeartbeat) {
        refusal = nil
        answer = nil
        do throws(ConsumerGroupRefusal) {
            let decision = try group.heartbeatReceived(request, topics: topics, now: now)
            answer = decision.answer
            write(decision.records)
        } catch { refusal = error.code }
    }

    mutating func write(_ records: [GroupRecord]) {
        lastRecords = records
        log += records
    }

    mutating func join(
        _ name: String, topics: [String]? = ["t"], pattern: String? = nil, instance: String? = nil,
        assignor: String? = nil, id: String? = nil
    ) {
        members[name] = Member(
            id: id ?? name, instanceID: instance, topics: topics, pattern: pattern, assignor: assignor)
        beat(name)
    }

    func request(_ name: String) -> ConsumerHeartbeat {
        let member = members[name] ?? Member(id: name)
        let joins = member.epoch == 0
        return ConsumerHeartbeat(
            memberID: member.id, epoch: member.epoch, instanceID: member.instanceID, clientID: name,
            clientHost: "/127.0.0.1", rebalanceTimeout: joins ? .seconds(60) : nil,
            topicNames: joins ? member.topics : nil,
            topicPattern: joins ? member.pattern : nil, assignor: joins ? member.assignor : nil, owned: member.owned)
    }

    /// A heartbeat; the member takes what it is told, and owns it from then on.
    mutating func beat(_ name: String) {
        send(request(name))
        guard let answer else { return }
        members[name]?.epoch = answer.epoch
        if let assignment = answer.assignment { members[name]?.owned = assignment }
    }

    /// All members speak until nobody is told anything new.
    mutating func settle(_ names: [String]? = nil) {
        for _ in 0..<20 {
            let before = members.mapValues(\.owned)
            let epochs = members.mapValues(\.epoch)
            for name in names ?? members.keys.sorted() { beat(name) }
            if before == members.mapValues(\.owned), epochs == members.mapValues(\.epoch) { return }
        }
    }

    mutating func leave(_ name: String, epoch: Int32 = -1) {
        guard let member = members[name] else { return }
        send(
            ConsumerHeartbeat(
                memberID: member.id, epoch: epoch, instanceID: member.instanceID, clientID: name,
                clientHost: "/127.0.0.1"))
        if refusal == nil { members[name] = nil }
    }

    mutating func pass(_ duration: Duration) {
        now = now + duration
        write(group.tick(now: now))
    }

    /// How many partitions a member owns.
    func count(_ name: String) -> Int { members[name]?.owned.count ?? 0 }

    /// The partitions of a topic that it owns.
    func owned(_ name: String, _ topic: String = "t") -> [Int32] {
        (members[name]?.owned.byTopic[Self.idOfTopic[topic] ?? .zero] ?? []).sorted()
    }

    /// The coordinator starts again with what the log holds, each record through its bytes.
    mutating func restart() throws {
        var replay = ConsumerGroupReplay(id: "g", settings: group.settings)
        for record in log {
            let (key, value) = try record.encoded()
            replay.apply(try GroupRecord.decode(key: key, value: value))
        }
        group = replay.finished(now: now) ?? ConsumerGroupMachine(id: "g", settings: group.settings)
    }
}
