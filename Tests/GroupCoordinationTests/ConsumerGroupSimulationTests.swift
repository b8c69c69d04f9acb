import Base
import KafkaWire
import TestKit
import Testing

@testable import GroupCoordination

/// Members and a coordinator in one seeded world: members crash, are slow to give up what they lose, leave, come back as the same instance and subscribe anew;
/// some speak the classic protocol; requests and answers are lost, batches can't be written, the coordinator starts again with what its log holds, topics grow.
private struct ConsumerWorld {
    struct Client {
        var id: String
        var instanceID: String?
        var topics: [String]
        var epoch: Int32 = 0
        /// From which it reads, each with how far it has read.
        var positions: [Place: Int64] = [:]
        /// What it was told that it may read.
        var told = MemberAssignment()
        var isOutstanding = false
        var isCommitting = false
        /// An answer was lost: the next heartbeat says everything.
        var saysAll = true
        /// Of the classic protocol, cooperative: joins, then asks for its assignment, then says that it lives until it is to join again.
        var isClassic = false
        var mustJoin = true
        var mustSync = false

        var owned: MemberAssignment {
            var owned = MemberAssignment()
            for place in positions.keys { owned.insert(place.topic, place.partition) }
            return owned
        }
    }

    struct Place: Hashable {
        var topic: TopicID
        var partition: Int32
    }

    struct Commit {
        var place: Place
        var offset: Int64
        var epoch: Int32
    }

    enum Request {
        case heartbeat(ConsumerHeartbeat)
        case commit(Commit)
        case join(JoinRequest)
        case sync(SyncRequest)
        case beat(generation: Int32)
    }

    enum Answer {
        case heartbeat(ConsumerHeartbeatAnswer)
        case committed
        case joined(generation: Int32)
        case synced(MemberAssignment)
        case alive
        case refused(ErrorCode)
    }

    struct Write {
        var records: [GroupRecord]
        var commit: Commit?
        var client: String?
        var answer: Answer?
    }

    var random: SeededRandom
    var now = Instant.zero
    var topics = TopicImage()
    var group: ConsumerGroupMachine
    var settings = GroupSettings()
    var clients: [String: Client] = [:]
    var requests: [(client: String, request: Request)] = []
    var answers: [(client: String, answer: Answer)] = []
    var writes: [Write] = []
    var log: [GroupRecord] = []
    /// As the log has it.
    var committed: [Place: Int64] = [:]
    var lastClient = 0
    /// Told to a member.
    var acknowledged: [Place: Int64] = [:]

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        group = ConsumerGroupMachine(id: "g", settings: settings)
        for topic in ["t", "u"] { grow(topic, by: 3) }
        for _ in 0..<3 { addClient() }
    }

    mutating func grow(_ name: String, by count: Int32) {
        let old = topics[name]?.partitionCount ?? 0
        topics[name] = TopicImage.Topic(
            id: ConsumerTranscript.idOfTopic[name] ?? .zero, partitionCount: min(8, old + count))
    }

    mutating func addClient(instance: String? = nil) {
        lastClient += 1
        let topics = [["t"], ["t", "u"], ["u"]].randomElement(using: &random) ?? ["t"]
        let isStatic = instance != nil || Int.random(in: 0..<3, using: &random) == 0
        var client = Client(
            id: "c\(lastClient)", instanceID: isStatic ? instance ?? "i\(lastClient)" : nil,
            topics: topics)
        client.isClassic = !isStatic && random.oneIn(2)
        clients[client.id] = client
    }

    // MARK: Clients

    func heartbeat(of client: Client, epoch: Int32? = nil) -> ConsumerHeartbeat {
        let all = client.saysAll || client.epoch == 0
        return ConsumerHeartbeat(
            memberID: client.id, epoch: epoch ?? client.epoch, instanceID: client.instanceID,
            clientID: client.id,
            clientHost: "/127.0.0.1", rebalanceTimeout: all ? .seconds(60) : nil,
            topicNames: all ? client.topics : nil,
            owned: epoch == nil && client.told == client.owned ? client.owned : nil)
    }

    func classicRequest(of client: Client) throws -> Request {
        guard client.mustJoin else {
            guard client.mustSync else { return .beat(generation: client.epoch) }
            return .sync(
                SyncRequest(
                    memberID: client.id, instanceID: nil, generation: client.epoch, protocolType: nil,
                    protocolName: nil, assignments: [:]))
        }
        var subscription = ConsumerSubscription()
        subscription.topics = client.topics
        subscription.ownedPartitions = client.owned.sorted.map {
            .init(topic: topics.name(of: $0.topic) ?? "", partitions: $0.partitions)
        }
        let assignor = GroupMember.Assignor(
            name: "cooperative", metadata: try subscription.encode(version: 1))
        return .join(
            JoinRequest(
                memberID: client.id, instanceID: nil, clientID: client.id, clientHost: "/127.0.0.1",
                protocolType: "consumer", protocols: [assignor], sessionTimeout: .seconds(45),
                rebalanceTimeout: .seconds(60), requiresKnownMemberID: true, newMemberID: "none"))
    }

    mutating func send(_ id: String) throws {
        guard let client = clients[id], !client.isOutstanding else { return }
        if client.isClassic {
            if client.mustJoin {
                // It commits before it joins, and takes nothing more of what it was told before.
                guard !client.isCommitting else { return }
                clients[id]?.told = client.owned
            }
            requests.append((id, try classicRequest(of: client)))
        } else {
            requests.append((id, .heartbeat(heartbeat(of: client))))
        }
        clients[id]?.isOutstanding = true
    }

    /// Gives up what it may not read any more, then takes what it may; both as slowly as the world's chance has it.
    mutating func reconcile(_ id: String) {
        guard var client = clients[id], !client.isCommitting, client.epoch > 0 else { return }
        for place in client.positions.keys where !client.told.contains(place.topic, place.partition) {
            client.positions[place] = nil
            // Only then it may be given more.
            client.mustJoin = true
        }
        if client.isClassic
            || group.offsetsRequested(memberID: id, epoch: client.epoch, writes: false) == .none
        {
            for (topic, partitions) in client.told.sorted {
                for partition in partitions {
                    let place = Place(topic: topic, partition: partition)
                    if client.positions[place] == nil { client.positions[place] = committed[place] ?? 0 }
                }
            }
        }
        clients[id] = client
    }

    mutating func take(_ answer: Answer, for id: String) {
        guard var client = clients[id] else { return }
        switch answer {
        case .heartbeat(let answer):
            client.isOutstanding = false
            client.saysAll = false
            client.epoch = answer.epoch
            if let assignment = answer.assignment { client.told = assignment }
        case .committed: client.isCommitting = false
        case .joined(let generation):
            (client.isOutstanding, client.mustJoin, client.mustSync) = (false, false, true)
            client.epoch = generation
        case .synced(let assignment):
            (client.isOutstanding, client.mustSync) = (false, false)
            client.told = assignment
        case .alive: client.isOutstanding = false
        case .refused(.rebalanceInProgress):
            (client.isOutstanding, client.mustJoin, client.mustSync) = (false, true, false)
        case .refused(.staleMemberEpoch): client.isCommitting = false
        case .refused(.unreleasedInstanceId), .refused(.coordinatorNotAvailable):
            client.isOutstanding = false
        case .refused(let code):
            precondition(
                [.unknownMemberId, .fencedMemberEpoch, .fencedInstanceId, .illegalGeneration].contains(
                    code), "a member was told \(code)")
            client.positions = [:]
            client.told = MemberAssignment()
            client.epoch = 0
            clients[id] = code == .fencedInstanceId ? nil : client
            return disconnect(id)
        }
        clients[id] = client
    }

    /// Whatever is under way to or from the client is lost; what the coordinator has taken in goes on.
    mutating func disconnect(_ id: String) {
        requests.removeAll { $0.client == id }
        answers.removeAll { $0.client == id }
        for place in writes.indices where writes[place].client == id { writes[place].client = nil }
        clients[id]?.isOutstanding = false
        clients[id]?.isCommitting = false
        clients[id]?.saysAll = true
        clients[id]?.mustJoin = true
        clients[id]?.mustSync = false
        // What it was to take it may have lost by now: it is told again.
        if let owned = clients[id]?.owned { clients[id]?.told = owned }
    }

    // MARK: Coordinator

    mutating func serve(_ id: String, _ request: Request) {
        switch request {
        case .heartbeat(let heartbeat):
            do throws(ConsumerGroupRefusal) {
                let decision = try group.heartbeatReceived(heartbeat, topics: topics, now: now)
                writes.append(
                    Write(records: decision.records, client: id, answer: .heartbeat(decision.answer)))
            } catch { answers.append((id, .refused(error.code))) }
        case .commit(let commit):
            let error = group.offsetsRequested(memberID: id, epoch: commit.epoch, writes: true)
            guard error == .none else {
                // To a commit both say the same.
                return answers.append(
                    (id, .refused(error == .illegalGeneration ? .staleMemberEpoch : error)))
            }
            writes.append(Write(records: [], commit: commit, client: id, answer: .committed))
        case .join(let join):
            do throws(ConsumerGroupRefusal) {
                let (answer, records) = try group.classicJoinReceived(join, topics: topics, now: now)
                writes.append(
                    Write(records: records, client: id, answer: .joined(generation: answer.generation)))
            } catch { answers.append((id, .refused(error.code))) }
        case .sync(let sync):
            let answer = group.classicSyncReceived(sync, topics: topics, now: now)
            guard answer.error == .none, let told = try? ConsumerAssignment.decode(answer.assignment)
            else {
                return answers.append((id, .refused(answer.error)))
            }
            let assignment = MemberAssignment(
                told.assignedPartitions.compactMap { entry in
                    topics[entry.topic].map { (topic: $0.id, partitions: entry.partitions) }
                })
            writes.append(Write(records: [], client: id, answer: .synced(assignment)))
        case .beat(let generation):
            let error = group.classicHeartbeatReceived(
                memberID: id, instanceID: nil, generation: generation, now: now)
            answers.append((id, error == .none ? .alive : .refused(error)))
        }
    }

    mutating func write() throws {
        guard !writes.isEmpty else { return }
        let write = writes.removeFirst()
        log += write.records
        if let commit = write.commit {
            // Whoever reads a partition began where the last one ended: a commit that goes back is one of two owners.
            try #require(commit.offset >= committed[commit.place] ?? 0, "a committed offset went back")
            committed[commit.place] = commit.offset
        }
        if let client = write.client, let answer = write.answer { answers.append((client, answer)) }
    }

    func replayed() throws -> ConsumerGroupMachine {
        var replay = ConsumerGroupReplay(id: "g", settings: settings)
        for record in log {
            let (key, value) = try record.encoded()
            replay.apply(try GroupRecord.decode(key: key, value: value))
        }
        return replay.finished(now: now) ?? ConsumerGroupMachine(id: "g", settings: settings)
    }

    /// What was not written is gone, and so are the connections.
    mutating func restart() throws {
        group = try replayed()
        writes = []
        for id in clients.keys.sorted() { disconnect(id) }
        requests = []
    }

    mutating func writeFails() throws {
        for id in writes.compactMap(\.client) { disconnect(id) }
        writes = []
        group = try replayed()
    }

    // MARK: One step

    mutating func step(faults: Bool) throws {
        let ids = clients.keys.sorted()
        let id = ids.randomElement(using: &random) ?? ""
        switch Int.random(in: 0..<(faults ? 120 : 100), using: &random) {
        case 0..<25:
            try send(id)
        case 25..<45:
            guard let place = requests.indices.randomElement(using: &random) else { return }
            let (client, request) = requests.remove(at: place)
            serve(client, request)
        case 45..<63: try write()
        case 63..<80:
            guard let place = answers.indices.randomElement(using: &random) else { return }
            let (client, answer) = answers.remove(at: place)
            if case .committed = answer { acknowledged = committed }
            take(answer, for: client)
        case 80..<92: reconcile(id)
        case 92..<98: commit(id)
        case 98..<100:
            now = now + .milliseconds(faults ? Int64.random(in: 0...4000, using: &random) : 200)
            let records = group.tick(now: now)
            if !records.isEmpty { writes.append(Write(records: records)) }
        default: try fault(id)
        }
    }

    private mutating func commit(_ id: String) {
        guard let client = clients[id], !client.isCommitting, client.epoch > 0 else { return }
        let places = client.positions.keys.sorted {
            ($0.topic, $0.partition) < ($1.topic, $1.partition)
        }
        guard let place = places.randomElement(using: &random), let position = client.positions[place]
        else { return }
        let offset = position + Int64.random(in: 1...5, using: &random)
        clients[id]?.positions[place] = offset
        clients[id]?.isCommitting = true
        requests.append((id, .commit(Commit(place: place, offset: offset, epoch: client.epoch))))
    }

    private mutating func fault(_ id: String) throws {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<8: disconnect(id)
        case 8: try restart()
        case 9: try writeFails()
        case 10...11: if clients.count < 6 { addClient() }
        case 12: drop(id)
        case 13...14: leave(id)
        case 15: grow(["t", "u"].randomElement(using: &random) ?? "t", by: 1)
        case 16: now = now + .seconds(20)
        case 17:
            guard clients[id]?.isOutstanding == false else { return }
            clients[id]?.topics = [["t"], ["t", "u"], ["u"]].randomElement(using: &random) ?? ["t"]
            clients[id]?.saysAll = true
            clients[id]?.mustJoin = true
        default: break
        }
    }

    /// It crashes; an instance is started again, under another id.
    private mutating func drop(_ id: String) {
        guard let client = clients.removeValue(forKey: id) else { return }
        disconnect(id)
        if let instance = client.instanceID { addClient(instance: instance) }
    }

    private mutating func leave(_ id: String) {
        if clients[id]?.isClassic ?? true { return drop(id) }
        guard let client = clients[id], !client.isCommitting, client.epoch > 0, clients.count > 2 else {
            return
        }
        clients[id] = nil
        disconnect(id)
        let isBack = client.instanceID != nil && Bool.random(using: &random)
        requests.append((id, .heartbeat(heartbeat(of: client, epoch: isBack ? -2 : -1))))
        if isBack { addClient(instance: client.instanceID) }
    }

    // MARK: What must hold

    func check() throws {
        var held: Set<Place> = []
        for member in group.members.values {
            for (topic, partitions) in member.held.byTopic {
                for partition in partitions {
                    let isFirst = held.insert(Place(topic: topic, partition: partition)).inserted
                    try #require(isFirst, "two members hold \(topic)-\(partition)")
                    try #require(group.holder(of: topic, partition) == member.id)
                }
            }
        }
        var read: [Place: String] = [:]
        for client in clients.values where group.members[client.id] != nil {
            for place in client.positions.keys {
                let other = read.updateValue(client.id, forKey: place)
                try #require(other == nil, "\(client.id) and \(other ?? "") both read \(place)")
            }
        }
        for (place, offset) in acknowledged {
            try #require(committed[place] ?? -1 >= offset, "a committed offset was lost")
        }
    }

    /// The log tells the whole group.
    func checkLog() throws {
        guard writes.isEmpty, !group.members.isEmpty else { return }
        let again = try replayed()
        try #require(again.epoch == group.epoch && again.targetEpoch == group.targetEpoch)
        try #require(again.targets == group.targets && again.holders == group.holders)
        try #require(again.members.mapValues(\.currentValue) == group.members.mapValues(\.currentValue))
        try #require(
            again.members.mapValues(\.metadataValue) == group.members.mapValues(\.metadataValue))
    }

    /// Every partition that a living member subscribes to is read by one member, which is one of those.
    func isSettled() -> Bool {
        for (name, topic) in topics.topics {
            let subscribed = clients.values.filter { $0.topics.contains(name) }
            for partition in 0..<topic.partitionCount {
                let place = Place(topic: topic.id, partition: partition)
                let readers = clients.values.filter { $0.positions[place] != nil }
                guard readers.count == (subscribed.isEmpty ? 0 : 1) else { return false }
                guard readers.allSatisfy({ $0.topics.contains(name) }) else { return false }
            }
        }
        return group.stateName == "Stable"
    }
}

@Suite struct ConsumerGroupSimulationTests {
    /// The invariants hold after each step, and once the faults end every partition is read by one member.
    @Test(arguments: 0..<20)
    func noPartitionHasTwoReadersAndEachGetsOne(_ seed: Int) throws {
        var world = ConsumerWorld(seed: UInt64(seed))
        for step in 0..<3000 {
            try world.step(faults: true)
            try world.check()
            if step.isMultiple(of: 100) { try world.checkLog() }
        }
        var steps = 0
        while !world.isSettled() {
            try world.step(faults: false)
            if steps.isMultiple(of: 50) { try world.check() }
            steps += 1
            // Sessions of those who are gone end on the way: a second passes each 250 steps or so.
            try #require(steps < 100_000, "not settled: \(world.group.stateName)")
        }
        try world.check()
        while !world.writes.isEmpty { try world.write() }
        try world.checkLog()
    }
}
