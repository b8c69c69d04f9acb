import Base
import KafkaWire
import TestKit
import Testing

@testable import GroupCoordination

/// Producers, a coordinator and partitions in one seeded world: producers crash and come back while their old selves go on writing, answers are lost
/// and asked for again, the coordinator restarts with what its log holds, transactions time out.
private struct TransactionWorld {
    struct Tag: Hashable {
        var client: Int
        var number: Int
    }

    enum Item {
        case record(ProducerID, Tag)
        case marker(ProducerID, commits: Bool)
    }

    struct PartitionState {
        var items: [Item] = []
        var epochs: [ProducerID: ProducerEpoch] = [:]
        var sequences: [ProducerID: Int32] = [:]
    }

    enum Request: Equatable {
        case initialise
        case add(Int)
        case write(Int, Int32)
        case end(commits: Bool)
    }

    struct Message {
        var client: Int
        var serial: Int
        var request: Request
        var producer: ProducerID
        var epoch: ProducerEpoch
        var tag: Tag
    }

    struct Response {
        var client: Int
        var serial: Int
        var error: ErrorCode
        var entry: TransactionEntry?
    }

    struct Client {
        var id: String
        /// Of the second protocol (KIP-890).
        var raisesEpoch: Bool
        var producer = ProducerID.none
        var epoch = ProducerEpoch.none
        var sequences: [Int: Int32] = [:]
        var plan: [Request] = []
        var outstanding: Int?
        var number = 0
        var added: Set<Int> = []
        var isDead = false
    }

    struct Write {
        var id: String
        var entry: TransactionEntry
        var answer: Response?
    }

    var random: SeededRandom
    var now = Timestamp(milliseconds: 1_700_000_000_000)
    var partitions = (0..<3).map { _ in PartitionState() }
    var log: [(id: String, entry: TransactionEntry)] = []
    var machines: [String: TransactionMachine] = [:]
    var unmarked: [String: Set<Int>] = [:]
    var writes: [Write] = []
    var requests: [Message] = []
    var responses: [Response] = []
    var clients: [Client] = []
    var lastSerial = 0
    var lastProducer: Int64 = 0
    /// Records that a producer was told are in the log.
    var acknowledged: [Tag: Int] = [:]
    var told: [Tag: Bool] = [:]
    var restarts = 0

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        for number in 0..<3 { spawn("x\(number)", raisesEpoch: random.oneIn(2)) }
    }

    mutating func spawn(_ id: String, raisesEpoch: Bool) {
        clients.append(Client(id: id, raisesEpoch: raisesEpoch, plan: [.initialise]))
    }

    // MARK: Clients

    mutating func plan(_ place: Int) {
        clients[place].number += 1
        clients[place].added = []
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let partition = Int.random(in: 0..<partitions.count, using: &random)
            if !clients[place].raisesEpoch, clients[place].added.insert(partition).inserted {
                clients[place].plan.append(.add(partition))
            }
            let sequence = clients[place].sequences[partition, default: 0]
            clients[place].sequences[partition] = sequence + 1
            clients[place].plan.append(.write(partition, sequence))
        }
        clients[place].plan.append(.end(commits: !random.oneIn(3)))
    }

    mutating func send(_ place: Int) {
        if clients[place].isDead { return }
        if clients[place].plan.isEmpty { plan(place) }
        lastSerial += 1
        clients[place].outstanding = lastSerial
        requests.append(
            Message(
                client: place, serial: lastSerial, request: clients[place].plan[0], producer: clients[place].producer,
                epoch: clients[place].epoch, tag: Tag(client: place, number: clients[place].number)))
    }

    mutating func receive(_ response: Response) {
        let place = response.client
        guard !clients[place].isDead, clients[place].outstanding == response.serial else { return }
        clients[place].outstanding = nil
        let tag = Tag(client: place, number: clients[place].number)
        switch response.error {
        case .none: break
        case .concurrentTransactions: return
        default:
            clients[place].isDead = true
            return
        }
        switch clients[place].plan.removeFirst() {
        case .initialise:
            clients[place].producer = response.entry!.producerID
            clients[place].epoch = response.entry!.epoch
        case .add: break
        case .write: acknowledged[tag, default: 0] += 1
        case .end(let commits):
            told[tag] = commits
            if clients[place].raisesEpoch {
                (clients[place].producer, clients[place].epoch) = TransactionMachine.identity(after: response.entry!)
                clients[place].sequences = [:]
            }
        }
    }

    // MARK: The broker

    mutating func take(_ message: Message) {
        let client = clients[message.client]
        var machine = machines[client.id] ?? TransactionMachine()
        let decision: TransactionMachine.Decision
        switch message.request {
        case .initialise:
            lastProducer += 1
            decision = machine.initReceived(
                timeout: .seconds(40), expected: nil, newID: ProducerID(lastProducer), now: now)
        case .add(let partition): decision = add(partition, message, &machine)
        case .write(let partition, let sequence):
            if client.raisesEpoch {
                let added = add(partition, message, &machine)
                machines[client.id] = machine
                guard case .answer = added else { return settle(added, message, isAnsweredLater: true) }
            }
            let name = TopicPartition(topic: "t", partition: Int32(partition))
            let refused = machine.verified(name, id: message.producer, epoch: message.epoch)
            let error = refused == .none ? append(partition, message, sequence) : refused
            responses.append(Response(client: message.client, serial: message.serial, error: error))
            return
        case .end(let commits):
            lastProducer += 1
            decision = machine.endReceived(
                commits: commits, id: message.producer, epoch: message.epoch, raisesEpoch: client.raisesEpoch,
                newID: ProducerID(lastProducer), now: now)
        }
        if machine.entry != nil || machine.pending != nil { machines[client.id] = machine }
        settle(decision, message)
    }

    func add(_ partition: Int, _ message: Message, _ machine: inout TransactionMachine) -> TransactionMachine.Decision {
        machine.partitionsAdded(
            [TopicPartition(topic: "t", partition: Int32(partition))], id: message.producer, epoch: message.epoch,
            clientVersion: clients[message.client].raisesEpoch ? 2 : 0, now: now)
    }

    mutating func settle(
        _ decision: TransactionMachine.Decision, _ message: Message, isAnsweredLater: Bool = false
    ) {
        var response = Response(client: message.client, serial: message.serial, error: .none)
        switch decision {
        case .refuse(let error):
            response.error = error
            responses.append(response)
        case .answer(let entry):
            response.entry = entry
            responses.append(response)
        case .write(let entry, let error):
            // A write that adds its partition is asked again: then it is there.
            response.error = isAnsweredLater ? .concurrentTransactions : error
            response.entry = entry
            writes.append(Write(id: clients[message.client].id, entry: entry, answer: response))
        }
    }

    mutating func append(_ place: Int, _ message: Message, _ sequence: Int32) -> ErrorCode {
        let known = partitions[place].epochs[message.producer]
        if let known, message.epoch < known { return .invalidProducerEpoch }
        let last = known == message.epoch ? partitions[place].sequences[message.producer] ?? -1 : -1
        if sequence == last { return .none }
        guard sequence == last + 1 else { return .outOfOrderSequenceNumber }
        partitions[place].epochs[message.producer] = message.epoch
        partitions[place].sequences[message.producer] = sequence
        partitions[place].items.append(.record(message.producer, message.tag))
        return .none
    }

    mutating func finishWrite() {
        guard !writes.isEmpty else { return }
        let write = writes.removeFirst()
        log.append((write.id, write.entry))
        machines[write.id]?.written()
        if let answer = write.answer { responses.append(answer) }
        if write.entry.status.isPreparing {
            unmarked[write.id] = Set(write.entry.partitions.map { Int($0.partition) })
        }
    }

    mutating func mark() {
        guard let id = unmarked.keys.sorted().randomElement(using: &random), let entry = machines[id]?.entry else {
            return
        }
        if let place = unmarked[id]?.sorted().randomElement(using: &random) {
            if entry.epoch >= partitions[place].epochs[entry.producerID] ?? .none {
                if entry.epoch > partitions[place].epochs[entry.producerID] ?? .none {
                    partitions[place].sequences[entry.producerID] = nil
                }
                partitions[place].epochs[entry.producerID] = entry.epoch
                partitions[place].items.append(.marker(entry.producerID, commits: entry.commits))
            }
            // Sometimes the answer is lost and the marker comes twice.
            if !random.oneIn(5) { unmarked[id]?.remove(place) }
            return
        }
        guard case .write(let next, _)? = machines[id]?.markersWritten(now: now) else { return }
        unmarked[id] = nil
        writes.append(Write(id: id, entry: next))
    }

    mutating func restart() {
        restarts += 1
        for write in writes.prefix(Int.random(in: 0...writes.count, using: &random)) {
            log.append((write.id, write.entry))
        }
        writes = []
        machines = [:]
        unmarked = [:]
        for (id, entry) in log { machines[id] = TransactionMachine(restoring: stored(entry)) }
        for (id, machine) in machines where machine.entry!.status.isPreparing {
            unmarked[id] = Set(machine.entry!.partitions.map { Int($0.partition) })
        }
    }

    /// As it comes back from the log.
    private func stored(_ entry: TransactionEntry) -> TransactionEntry {
        let (key, value) = try! TransactionRecord.entry(id: "x", entry).encoded()
        guard case .entry(_, let read?) = try! TransactionRecord.decode(key: key, value: value) else {
            preconditionFailure("an entry is read as something else")
        }
        return read
    }

    mutating func tick() {
        now = now + .seconds(Int.random(in: 0...4, using: &random))
        for id in machines.keys.sorted() {
            if case .write(let entry, _)? = machines[id]?.timeoutDue(now: now) {
                writes.append(Write(id: id, entry: entry))
            }
        }
    }

    // MARK: Time

    mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<25:
            let place = Int.random(in: 0..<clients.count, using: &random)
            // One that waits too long asks again.
            if clients[place].outstanding == nil || random.oneIn(6) { send(place) }
        case 25..<50:
            guard let place = requests.indices.randomElement(using: &random) else { return }
            let message = requests.remove(at: place)
            if !random.oneIn(12) { take(message) }
        case 50..<68:
            guard let place = responses.indices.randomElement(using: &random) else { return }
            let response = responses.remove(at: place)
            if !random.oneIn(12) { receive(response) }
        case 68..<82: finishWrite()
        case 82..<95: mark()
        case 95: tick()
        case 96: restart()
        case 97:
            // Crashed; the old self may go on.
            let place = Int.random(in: 0..<clients.count, using: &random)
            guard clients.count < 60, random.oneIn(4) else { return }
            if random.oneIn(2) { clients[place].isDead = true }
            spawn(clients[place].id, raisesEpoch: clients[place].raisesEpoch)
        default:
            if let id = ["x0", "x1", "x2"].first(where: { id in !clients.contains { $0.id == id && !$0.isDead } }),
                clients.count < 60
            {
                spawn(id, raisesEpoch: random.oneIn(2))
            }
        }
    }

    /// Nobody sends any more; what is open times out.
    mutating func comeToRest() {
        requests = []
        for place in clients.indices { clients[place].isDead = true }
        for _ in 0..<2000 {
            finishWrite()
            mark()
            if random.oneIn(10) { tick() }
        }
    }

    // MARK: What must hold

    /// The first thing that is wrong, or nil.
    func fault() -> String? {
        if let open = machines.first(where: { $0.value.entry?.status == .ongoing || $0.value.pending != nil }) {
            return "\(open.key) is still \(open.value.entry!.status)"
        }
        var visible: [Tag: Int] = [:]
        var present: [Tag: Int] = [:]
        for partition in partitions {
            var open: [ProducerID: [Tag]] = [:]
            for item in partition.items {
                switch item {
                case .record(let producer, let tag):
                    open[producer, default: []].append(tag)
                    present[tag, default: 0] += 1
                case .marker(let producer, let commits):
                    for tag in open.removeValue(forKey: producer) ?? [] where commits { visible[tag, default: 0] += 1 }
                }
            }
            if let hanging = open.first { return "a transaction of \(hanging.key) has no end: \(hanging.value)" }
        }
        for (tag, commits) in told {
            if !commits, visible[tag] != nil { return "\(tag) was aborted and is read" }
            if commits, visible[tag, default: 0] != acknowledged[tag, default: 0] {
                return
                    "\(tag): \(acknowledged[tag, default: 0]) records were committed, \(visible[tag, default: 0]) are read"
            }
        }
        for (tag, count) in visible where count != present[tag] {
            return "of \(tag) \(present[tag]!) records are there and \(count) are read"
        }
        return nil
    }
}

struct TransactionSimulationTests {
    @Test(arguments: 0..<120 as Range<UInt64>) func committedRecordsAreReadOnceAndAbortedOnesNever(seed: UInt64) {
        var world = TransactionWorld(seed: seed)
        for _ in 0..<6000 { world.step() }
        world.comeToRest()
        if let fault = world.fault() { Issue.record("seed \(seed): \(fault)") }
    }

    /// Or the test above would show nothing.
    @Test func theWorldsGetSomethingDone() {
        var (committed, aborted, fenced, restarts, zombies) = (0, 0, 0, 0, 0)
        for seed in 0..<20 as Range<UInt64> {
            var world = TransactionWorld(seed: seed)
            for _ in 0..<6000 { world.step() }
            committed += world.told.values.count { $0 }
            aborted += world.told.values.count { !$0 }
            fenced += world.clients.count { $0.isDead }
            restarts += world.restarts
            zombies += world.clients.count - 3
        }
        #expect(committed > 200 && aborted > 100 && fenced > 100 && restarts > 500 && zombies > 100)
    }
}
