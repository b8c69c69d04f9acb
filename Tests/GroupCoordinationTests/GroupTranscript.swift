import Base
import GroupCoordination
import KafkaWire
import NIOCore

/// Drives one group by hand-moved time and keeps what each request was answered.
struct GroupTranscript {
    var group: GroupMachine
    var now = Instant.zero
    var wallTime = Timestamp(milliseconds: 1_000)
    private(set) var joins: [String: JoinAnswer] = [:]
    private(set) var syncs: [String: SyncAnswer] = [:]
    private(set) var persists: [Int32] = []
    private var names: [GroupRequestID: String] = [:]
    private var nextRequest: UInt64 = 0
    private var nextMember = 0

    init(settings: GroupSettings = GroupSettings()) { group = GroupMachine(id: "g", settings: settings) }

    private mutating func request(_ name: String) -> GroupRequestID {
        nextRequest += 1
        names[GroupRequestID(nextRequest)] = name
        return GroupRequestID(nextRequest)
    }

    private mutating func take(_ actions: [GroupAction]) {
        for action in actions {
            switch action {
            case .answerJoin(let id, let answer): joins[names[id] ?? "?"] = answer
            case .answerSync(let id, let answer): syncs[names[id] ?? "?"] = answer
            case .persist(let generation): persists.append(generation)
            }
        }
    }

    /// Sends a JoinGroup under a name by which its answer is found in `joins`.
    mutating func join(
        _ name: String, memberID: String = "", instance: String? = nil, protocols: [String] = ["range"],
        metadata: String = "m", knownIDRequired: Bool = false, sessionTimeout: Duration = .seconds(10),
        rebalanceTimeout: Duration = .seconds(30)
    ) {
        nextMember += 1
        joins[name] = nil
        let join = JoinRequest(
            memberID: memberID, instanceID: instance, clientID: name, clientHost: "/127.0.0.1",
            protocolType: "consumer",
            protocols: protocols.map { GroupMember.Assignor(name: $0, metadata: ByteBuffer(string: metadata)) },
            sessionTimeout: sessionTimeout, rebalanceTimeout: rebalanceTimeout, requiresKnownMemberID: knownIDRequired,
            newMemberID: "member-\(nextMember)")
        take(group.joinReceived(join, id: request(name), now: now, wallTime: wallTime))
    }

    mutating func sync(_ name: String, generation: Int32? = nil, assignments: [String: String] = [:]) {
        syncs[name] = nil
        let sync = SyncRequest(
            memberID: joins[name]?.memberID ?? "", instanceID: nil,
            generation: generation ?? joins[name]?.generation ?? -1,
            protocolType: nil, protocolName: nil, assignments: assignments.mapValues { ByteBuffer(string: $0) })
        take(group.syncReceived(sync, id: request(name), now: now))
    }

    mutating func persisted(error: ErrorCode = .none) {
        take(group.persisted(generation: group.generation, error: error, now: now))
    }

    mutating func heartbeat(_ name: String) -> ErrorCode {
        group.heartbeatReceived(
            memberID: joins[name]?.memberID ?? "", instanceID: nil, generation: joins[name]?.generation ?? -1, now: now)
    }

    mutating func leave(_ name: String) -> ErrorCode {
        let (error, actions) = group.leaveReceived(
            memberID: joins[name]?.memberID ?? "", instanceID: nil, now: now, wallTime: wallTime)
        take(actions)
        return error
    }

    mutating func commit(_ name: String, generation: Int32? = nil) -> ErrorCode {
        group.commitReceived(
            memberID: joins[name]?.memberID ?? "", instanceID: nil,
            generation: generation ?? joins[name]?.generation ?? -1, now: now)
    }

    mutating func pass(_ duration: Duration) {
        now = now + duration
        wallTime = wallTime + duration
        take(group.tick(now: now, wallTime: wallTime))
    }

    /// A group of the named members, stable, with one assignment each.
    static func stable(_ names: [String], instances: [String: String] = [:]) -> GroupTranscript {
        var transcript = GroupTranscript()
        for name in names { transcript.join(name, instance: instances[name]) }
        transcript.pass(.milliseconds(300))
        let leader = names.first { transcript.joins[$0]?.leader == transcript.joins[$0]?.memberID } ?? ""
        var assignments: [String: String] = [:]
        for name in names { assignments[transcript.joins[name]?.memberID ?? ""] = "partitions of \(name)" }
        for name in names { transcript.sync(name, assignments: name == leader ? assignments : [:]) }
        transcript.persisted()
        return transcript
    }
}
