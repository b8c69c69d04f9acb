import Base
import KafkaWire

/// The sessions of all consumers, by id. A machine without I/O.
///
/// Sessions outlive their connections, and nobody says when one is given up; so one that was not used for `idleMin` makes room for a new one. Where
/// there is no room a fetch is answered in full without a session, which clients take as it comes.
struct FetchSessionCache {
    struct Limits: Sendable {
        var sessionsMax: Int
        /// Of all sessions together.
        var partitionsMax: Int
    }

    /// What a fetch is to read, and how its answer is to be shaped.
    struct Plan: Sendable {
        enum Shape: Equatable, Sendable {
            /// Every partition asked for; no session.
            case full
            /// Every partition asked for, under a new session where there is room.
            case opening
            /// What has changed.
            case incremental(id: Int32)
        }

        var shape: Shape
        var asked: [AskedPartition]
    }

    enum Outcome {
        case plan(Plan)
        case refused(ErrorCode)
    }

    /// As in Kafka: a consumer that fetches uses its session far more often.
    static let idleMin = Duration.seconds(120)
    private static let closingEpoch: Int32 = -1
    private static let openingEpoch: Int32 = 0

    let limits: Limits
    private var sessions: [Int32: FetchSession] = [:]
    private(set) var partitionCount = 0
    private(set) var evictionCount = 0

    init(limits: Limits) { self.limits = limits }

    var count: Int { sessions.count }

    /// A fetch has come.
    mutating func requested(_ request: FetchRequest, version: Int16, now: Instant) -> Outcome {
        let asked = request.topics.flatMap { topic in
            topic.partitions.map { AskedPartition(topic: topic.topic, topicID: topic.topicId, request: $0) }
        }
        switch request.sessionEpoch {
        case Self.closingEpoch:
            close(request.sessionId)
            return .plan(Plan(shape: .full, asked: asked))
        case Self.openingEpoch:
            close(request.sessionId)
            return .plan(Plan(shape: asked.isEmpty ? .full : .opening, asked: asked))
        default: return continued(request, asked, usesTopicIDs: version >= 13, now: now)
        }
    }

    private mutating func continued(
        _ request: FetchRequest, _ asked: [AskedPartition], usesTopicIDs: Bool, now: Instant
    ) -> Outcome {
        guard var session = sessions[request.sessionId] else { return .refused(.fetchSessionIdNotFound) }
        guard session.nextEpoch == request.sessionEpoch else { return .refused(.invalidFetchSessionEpoch) }
        guard session.usesTopicIDs == usesTopicIDs else { return .refused(.fetchSessionTopicIdError) }
        let before = session.partitionCount
        session.advanceEpoch()
        session.lastUsed = now
        session.forget(
            request.forgottenTopicsData.flatMap { topic in
                topic.partitions.map {
                    FetchSession.Key(topic: topic.topic, topicID: topic.topicId, partition: $0)
                }
            })
        session.add(asked)
        partitionCount += session.partitionCount - before
        guard partitionCount <= limits.partitionsMax || session.partitionCount <= before else {
            // It has grown too large to be kept; the client begins anew, and is then answered in full.
            sessions[request.sessionId] = session
            close(request.sessionId)
            return .refused(.fetchSessionIdNotFound)
        }
        sessions[request.sessionId] = session
        return .plan(Plan(shape: .incremental(id: request.sessionId), asked: session.asked))
    }

    /// The fetch was read: which of the answers go into the response, and under which session id.
    mutating func answered(
        _ plan: Plan, _ answers: [(key: FetchSession.Key, data: FetchResponse.PartitionData)], usesTopicIDs: Bool,
        now: Instant, newID: () -> Int32
    ) -> (sessionID: Int32, included: [Bool]) {
        let all = [Bool](repeating: true, count: answers.count)
        switch plan.shape {
        case .full: return (0, all)
        case .opening:
            guard makeRoom(for: plan.asked.count, now: now) else { return (0, all) }
            var session = FetchSession(usesTopicIDs: usesTopicIDs, now: now)
            session.add(plan.asked)
            _ = session.answered(answers)
            var id = newID()
            while id <= 0 || sessions[id] != nil { id = newID() }
            sessions[id] = session
            partitionCount += session.partitionCount
            return (id, all)
        case .incremental(let id):
            // It may have been closed meanwhile; the client hears of it with its next request.
            return (id, sessions[id]?.answered(answers) ?? all)
        }
    }

    private mutating func makeRoom(for partitions: Int, now: Instant) -> Bool {
        func fits() -> Bool {
            sessions.count < limits.sessionsMax && partitionCount + partitions <= limits.partitionsMax
        }
        guard partitions <= limits.partitionsMax else { return false }
        if fits() { return true }
        let idle = sessions.filter { now - $0.value.lastUsed >= Self.idleMin }.sorted {
            $0.value.lastUsed < $1.value.lastUsed
        }
        for (id, _) in idle {
            close(id)
            evictionCount += 1
            if fits() { return true }
        }
        return false
    }

    private mutating func close(_ id: Int32) {
        guard let session = sessions.removeValue(forKey: id) else { return }
        partitionCount -= session.partitionCount
    }
}
