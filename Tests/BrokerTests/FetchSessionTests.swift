import Base
import BrokerTestKit
import KafkaConnection
import KafkaWire
import NIOCore
import Telemetry
import TestKit
import Testing

@testable import Broker

/// KIP-227 on the wire.
@Suite struct FetchSessionTests {
    private static func request(
        _ partitions: [(topic: String, partition: Int32, offset: Int64)], session: Int32 = 0, epoch: Int32,
        id: TopicID = .zero
    ) -> FetchRequest {
        var request = FetchRequest()
        request.maxBytes = 1 << 20
        request.minBytes = 1
        request.sessionId = session
        request.sessionEpoch = epoch
        for (topic, partition, offset) in partitions {
            request.topics += Requests.fetch(topic, id: id, partition: partition, from: offset).topics
        }
        return request
    }

    private static func told(_ response: FetchResponse) -> [String] {
        response.responses.flatMap { topic in
            topic.partitions.map { "\(topic.topic)-\($0.partitionIndex)" }
        }
    }

    @Test(arguments: [7, 12, 18] as [Int16]) func onlyNewsIsTold(version: Int16) async throws {
        let telemetry = Telemetry(logger: Telemetry.silent.logger)
        try await TestBroker.with(telemetry: telemetry) { broker in
            let socket = try WireSocket(to: broker.address)
            let id = try await socket.createTopic("t", partitions: 3).topicId
            let name = version < 13 ? "t" : ""
            let topicID = version < 13 ? TopicID.zero : id
            let sessions = telemetry.metrics.gauge("millrace_broker_fetch_sessions")
            func fetch(_ partitions: [(Int32, Int64)], session: Int32 = 0, epoch: Int32, forget: [Int32] = [])
                async throws -> FetchResponse
            {
                var request = Self.request(
                    partitions.map { (name, $0.0, $0.1) }, session: session, epoch: epoch, id: topicID)
                if !forget.isEmpty {
                    var topic = FetchRequest.ForgottenTopic()
                    topic.topic = name
                    topic.topicId = topicID
                    topic.partitions = forget
                    request.forgottenTopicsData = [topic]
                }
                return try await socket.call(request, version: version)
            }
            let opened = try await fetch([(0, 0), (1, 0)], epoch: 0)
            let session = opened.sessionId
            #expect(session > 0 && sessions.value == 1)
            #expect(Self.told(opened) == ["\(name)-0", "\(name)-1"])
            #expect(Self.told(try await fetch([], session: session, epoch: 1)) == [])

            _ = try await socket.produce(try batch(["a"]), to: "t", partition: 1)
            let news = try await fetch([], session: session, epoch: 2)
            #expect(Self.told(news) == ["\(name)-1"] && news.sessionId == session)
            #expect(try words(news.responses[0].partitions[0]) == ["a"])

            // The consumer moves on; a partition comes in; nothing else is new.
            let added = try await fetch([(1, 1), (2, 0)], session: session, epoch: 3)
            #expect(Self.told(added) == ["\(name)-2"])
            // What was forgotten is not told of.
            _ = try await fetch([], session: session, epoch: 4, forget: [0])
            _ = try await socket.produce(try batch(["b"]), to: "t", partition: 0)
            #expect(Self.told(try await fetch([], session: session, epoch: 5)) == [])

            // An epoch out of turn, and a session that nobody knows.
            #expect(try await fetch([], session: session, epoch: 9).errorCode == .invalidFetchSessionEpoch)
            #expect(try await fetch([], session: session &+ 1, epoch: 6).errorCode == .fetchSessionIdNotFound)
            let other: Int16 = version < 13 ? 13 : 12
            let mixed = try await socket.call(Self.request([], session: session, epoch: 6), version: other)
            #expect(mixed.errorCode == .fetchSessionTopicIdError)
            #expect(Self.told(try await fetch([], session: session, epoch: 6)) == [])

            // Closing it answers in full.
            let closed = try await fetch([(0, 0)], session: session, epoch: -1)
            #expect(closed.sessionId == 0 && Self.told(closed) == ["\(name)-0"] && sessions.value == 0)
            #expect(try await fetch([], session: session, epoch: 7).errorCode == .fetchSessionIdNotFound)
        }
    }

    @Test func aFetchThatWaitsInASessionIsWokenByItsPartitions() async throws {
        try await TestBroker.with { broker in
            let reader = try WireSocket(to: broker.address)
            let writer = try WireSocket(to: broker.address)
            try await writer.createTopic("t", partitions: 2)
            let session = try await reader.call(Self.request([("t", 0, 0), ("t", 1, 0)], epoch: 0), version: 12)
                .sessionId
            var waiting = Self.request([], session: session, epoch: 1)
            waiting.maxWaitMs = 200_000
            let id = try await reader.send(waiting, version: 12)
            while broker.server.services?.fetches.count == 0 { try await Task.sleep(for: .milliseconds(1)) }
            _ = try await writer.produce(try batch(["awaited"]), to: "t", partition: 1)
            let answer = try await reader.receive(FetchRequest.self, version: 12, correlationID: id)
            #expect(Self.told(answer) == ["t-1"])
            #expect(try words(answer.responses[0].partitions[0]) == ["awaited"])
        }
    }

    /// A partition in error is told each time, and once more when the error is over.
    @Test func aDeletedTopicIsToldInItsSession() async throws {
        try await TestBroker.with(configure: { $0.createsTopics = false }) { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            try await socket.createTopic("u")
            let session = try await socket.call(Self.request([("t", 0, 0), ("u", 0, 0)], epoch: 0), version: 12)
                .sessionId
            var deletion = DeleteTopicsRequest()
            deletion.topicNames = ["t"]
            #expect(try await socket.call(deletion, version: 5).responses[0].errorCode == .none)
            for epoch in [1, 2] as [Int32] {
                let answer = try await socket.call(Self.request([], session: session, epoch: epoch), version: 12)
                #expect(Self.told(answer) == ["t-0"])
                #expect(answer.responses[0].partitions[0].errorCode == .unknownTopicOrPartition)
            }
            try await socket.createTopic("t")
            let back = try await socket.call(Self.request([], session: session, epoch: 3), version: 12)
            #expect(Self.told(back) == ["t-0"] && back.responses[0].partitions[0].errorCode == .none)
            #expect(Self.told(try await socket.call(Self.request([], session: session, epoch: 4), version: 12)) == [])
        }
    }

    @Test func withoutRoomFetchesAreAnsweredInFull() async throws {
        try await TestBroker.with(configure: { $0.limits.fetchSessionsMax = 1 }) { broker in
            let socket = try WireSocket(to: broker.address)
            try await socket.createTopic("t")
            let first = try await socket.call(Self.request([("t", 0, 0)], epoch: 0), version: 12)
            let second = try await socket.call(Self.request([("t", 0, 0)], epoch: 0), version: 12)
            #expect(first.sessionId > 0 && second.sessionId == 0 && Self.told(second) == ["t-0"])
            // Opening anew takes one's own place.
            let again = try await socket.call(
                Self.request([("t", 0, 0)], session: first.sessionId, epoch: 0), version: 12)
            #expect(again.sessionId > 0 && again.sessionId != first.sessionId)
        }
    }
}

/// The machine alone.
@Suite struct FetchSessionCacheTests {
    private func asked(_ numbers: [Int32]) -> [AskedPartition] {
        numbers.map { number in
            var request = FetchRequest.FetchPartition()
            request.partition = number
            return AskedPartition(topic: "t", topicID: .zero, request: request)
        }
    }

    private func answer(_ partition: Int32, highWatermark: Int64, bytes: Int = 0)
        -> (key: FetchSession.Key, data: FetchResponse.PartitionData)
    {
        var data = FetchResponse.PartitionData()
        data.partitionIndex = partition
        data.highWatermark = highWatermark
        data.logStartOffset = 0
        data.records = .external(byteCount: bytes, tag: 0)
        return (FetchSession.Key(topic: "t", topicID: .zero, partition: partition), data)
    }

    /// A busy partition goes behind the others, which keep their order among themselves.
    @Test func whoHadRecordsComesLast() {
        var session = FetchSession(usesTopicIDs: false, now: .zero)
        session.add(asked([0, 1, 2, 3]))
        _ = session.answered([answer(0, highWatermark: 5, bytes: 10), answer(2, highWatermark: 5, bytes: 10)])
        #expect(session.asked.map(\.request.partition) == [1, 3, 0, 2])
        _ = session.answered([answer(1, highWatermark: 5, bytes: 10)])
        #expect(session.asked.map(\.request.partition) == [3, 0, 2, 1])
        _ = session.answered((0..<4).map { answer($0, highWatermark: 5, bytes: 10) })
        #expect(session.asked.map(\.request.partition) == [3, 0, 2, 1])
    }

    @Test func epochsWrapPastThoseThatMeanSomethingElse() {
        var session = FetchSession(usesTopicIDs: false, now: .zero)
        #expect(session.nextEpoch == 1)
        for _ in 0..<3 { session.advanceEpoch() }
        #expect(session.nextEpoch == 4)
    }

    @Test func theIdleMakeRoomAndTheBusyDoNot() {
        var cache = FetchSessionCache(limits: FetchSessionCache.Limits(sessionsMax: 2, partitionsMax: 10))
        var next: Int32 = 0
        func open(_ numbers: [Int32], at now: Instant) -> Int32 {
            let plan = FetchSessionCache.Plan(shape: .opening, asked: asked(numbers))
            return cache.answered(plan, [], usesTopicIDs: false, now: now) {
                next += 1
                return next
            }.sessionID
        }
        #expect(open([0, 1], at: .zero) == 1)
        #expect(open([0], at: Instant.zero + .seconds(60)) == 2)
        #expect(open([0], at: Instant.zero + .seconds(119)) == 0)
        #expect(open([0], at: Instant.zero + .seconds(120)) == 3)
        #expect(cache.count == 2 && cache.evictionCount == 1 && cache.partitionCount == 2)
        // One that would hold more than all may is not opened, whatever it would push out.
        #expect(open(Array(0..<11), at: Instant.zero + .seconds(9999)) == 0)
        #expect(cache.count == 2)
    }

    /// Any history: the books are kept, and what a client knows is what it was told.
    @Test(arguments: 1...40 as ClosedRange<UInt64>) func clientsKnowWhatIsSo(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var cache = FetchSessionCache(limits: FetchSessionCache.Limits(sessionsMax: 5, partitionsMax: 40))
        var ends = [Int64](repeating: 0, count: 8)
        struct Client {
            var id: Int32 = 0
            var epoch: Int32 = 0
            var reads: Set<Int32> = []
            var known: [Int32: Int64] = [:]
        }
        var clients = [Client](repeating: Client(), count: 8)
        var now = Instant.zero
        for _ in 0..<400 {
            now = now + .seconds(random.oneIn(20) ? 200 : 1)
            ends[Int.random(in: 0..<8, using: &random)] += 1
            let place = Int.random(in: 0..<clients.count, using: &random)
            var client = clients[place]
            var request = FetchRequest()
            let partition = Int32.random(in: 0..<8, using: &random)
            if client.id == 0 || random.oneIn(15) {
                client.reads = Set((0..<8).filter { _ in random.oneIn(2) })
                client.known = [:]
                request.sessionId = client.id
                request.sessionEpoch = 0
                request.topics = client.reads.flatMap { Requests.fetch("t", partition: $0, from: 0).topics }
            } else {
                client.epoch = client.epoch == .max ? 1 : client.epoch + 1
                request.sessionId = client.id
                request.sessionEpoch = client.epoch
                if client.reads.contains(partition) {
                    var topic = FetchRequest.ForgottenTopic()
                    topic.topic = "t"
                    topic.partitions = [partition]
                    request.forgottenTopicsData = [topic]
                    client.reads.remove(partition)
                    client.known[partition] = nil
                } else {
                    request.topics = Requests.fetch("t", partition: partition, from: 0).topics
                    client.reads.insert(partition)
                }
            }
            switch cache.requested(request, version: 12, now: now) {
            case .refused(let error):
                #expect(error == .fetchSessionIdNotFound, "seed \(seed)")
                client = Client()
            case .plan(let plan):
                #expect(Set(plan.asked.map(\.request.partition)) == client.reads, "seed \(seed)")
                let answers = plan.asked.map {
                    answer($0.request.partition, highWatermark: ends[Int($0.request.partition)])
                }
                let (id, included) = cache.answered(plan, answers, usesTopicIDs: false, now: now) {
                    Int32.random(in: 1...Int32.max, using: &random)
                }
                for (answer, isIncluded) in zip(answers, included) where isIncluded {
                    client.known[answer.data.partitionIndex] = answer.data.highWatermark
                }
                let truth = Dictionary(uniqueKeysWithValues: client.reads.map { ($0, ends[Int($0)]) })
                #expect(client.known == truth, "seed \(seed)")
                if plan.shape == .opening { client.epoch = 0 }
                client.id = id
            }
            clients[place] = client
            #expect(cache.count <= 5 && cache.partitionCount <= 40, "seed \(seed)")
        }
    }
}
