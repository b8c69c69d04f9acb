import Base
import Events
import ExportTestKit
import Exports
import RemoteStores
import Synchronization
import SystemPackage
import TestKit
import Testing

/// The commit protocol over S3: every request fails in every way, owners die at every request, and the table still holds every record once.
@Suite struct S3StoreTests {
    private static let topic = TestTopic(count: 60)
    private static let table = "logs/\(Fixture.chain.table)/"

    private static func store(_ transport: any HTTPTransport, seed: UInt64 = 1) -> S3Store {
        var settings = S3Settings(bucket: "bucket", prefix: "logs/")
        settings.endpoint = "http://s3:9000"
        settings.credentials = .init(accessKey: "key", secretKey: "secret")
        settings.spool = "/spool"
        // Files are a few hundred bytes: most take several parts.
        settings.partBytes = .bytes(100)
        let random = Mutex(SeededRandom(seed: seed &+ 0x5eed))
        let disk = SimulatedFileSystem()
        try? disk.createDirectory("/spool")
        return S3Store(
            settings, transport: transport, fileSystem: disk,
            random: { random.withLock { KafkaUUID.random(using: &$0) } }, time: ManualTime(), sleep: { _ in })
    }

    private static func owner() -> TestOwner { TestOwner(topic: topic, time: ManualTime()) }

    /// What keeps the table from holding every record once.
    private static func problems(_ s3: SimulatedS3, lost: Set<Int64> = []) async throws -> [String] {
        var problems = try await ExportAudit(store(s3.transport())).run().findings.map(\.description)
        var found: [Int64: Int] = [:]
        for (key, bytes) in s3.objects(below: table) where !key.hasSuffix("/_SUCCESS") {
            for line in try gunzip(bytes).split(separator: UInt8(ascii: "\n")) {
                guard case .object(let fields) = try JSON.parse(Array(line)),
                    case .int(let offset) = Event(fields)["kafka_offset"]
                else { continue }
                found[offset, default: 0] += 1
            }
        }
        for offset in 0..<topic.count {
            let wanted = topic.isFiltered(offset) ? 0 : 1
            if found[offset, default: 0] != wanted {
                problems.append("offset \(offset) stands \(found[offset, default: 0]) times")
            }
        }
        return problems
    }

    /// What no takeover removed though nobody needs it: objects beside the records, and uploads that hold bytes.
    private static func leftovers(_ s3: SimulatedS3) -> [String] {
        s3.objects(below: "logs/.millrace/").keys.filter { !$0.hasSuffix(".commit") } + s3.uploadedKeys
    }

    @Test func withoutAnyFaultEveryRecordIsThereOnce() async throws {
        let s3 = SimulatedS3()
        try await Self.owner().live(Self.store(s3.transport()), seed: 1)
        #expect(try await Self.problems(s3).isEmpty)
        let left = Self.leftovers(s3)
        #expect(left.isEmpty, "\(left)")
    }

    /// Each request of an owner's life fails once; it goes on by itself, or its next attempt does.
    @Test(arguments: SimulatedS3.Fault.allCases)
    func everyRequestFailsOnce(fault: SimulatedS3.Fault) async throws {
        let counted = SimulatedS3().transport()
        try await Self.owner().live(Self.store(counted), seed: 1)
        for number in 1...counted.requestCount {
            let s3 = SimulatedS3()
            do {
                try await Self.owner().live(Self.store(s3.transport { at, _ in at == number ? fault : nil }), seed: 1)
            } catch {
                #expect((error as? ExportError)?.isRetriable == true, "\(fault) at \(number): \(error)")
                try await Self.owner().live(Self.store(s3.transport(), seed: 2), seed: 2)
            }
            let problems = try await Self.problems(s3)
            #expect(problems.isEmpty, "\(fault) at \(number): \(problems.prefix(3))")
        }
    }

    /// An owner dies at each request, its last answer lost or not; the next dies too, now and then; the last one finds everything, and cleans up.
    @Test(arguments: [SimulatedS3.Fault?.none, .answerLost, .lost, .delayed])
    func killedAtEveryRequest(fault: SimulatedS3.Fault?) async throws {
        let counted = SimulatedS3().transport()
        try await Self.owner().live(Self.store(counted), seed: 1)
        for number in 1...counted.requestCount {
            let s3 = SimulatedS3()
            var random = SeededRandom(seed: UInt64(number))
            let first = s3.transport { at, _ in at == number - 1 ? fault : nil }
            first.kill(at: number)
            await #expect(throws: ExportError.self) { try await Self.owner().live(Self.store(first), seed: 1) }
            if random.oneIn(2) {
                let second = s3.transport()
                second.kill(at: Int.random(in: 1...60, using: &random))
                _ = try? await Self.owner().live(Self.store(second, seed: 7), seed: random.next())
            }
            try await Self.owner().live(Self.store(s3.transport(), seed: 8), seed: random.next())
            let problems = try await Self.problems(s3)
            #expect(problems.isEmpty, "killed at \(number): \(problems.prefix(3))")
            // What took effect after the last takeover had looked waits for the next one.
            try await Self.owner().live(Self.store(s3.transport(), seed: 9), seed: random.next())
            let left = Self.leftovers(s3)
            #expect(left.isEmpty, "killed at \(number): \(left)")
            #expect(try await Self.problems(s3).isEmpty, "killed at \(number), after another owner")
        }
    }

    /// Owners that hold the same partition at once, each request of each failing now and then.
    @Test(arguments: 0..<60)
    func ownersCompete(seed: UInt64) async throws {
        let s3 = SimulatedS3()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<3 {
                group.addTask {
                    let random = Mutex(SeededRandom(seed: seed * 31 + UInt64(number)))
                    let transport = s3.transport { _, _ in
                        random.withLock { random in
                            random.oneIn(12) ? SimulatedS3.Fault.allCases.randomElement(using: &random) : nil
                        }
                    }
                    for attempt in 0..<UInt64(3) {
                        let next = random.withLock { $0.next() }
                        do { try await Self.owner().live(Self.store(transport, seed: next), seed: next) } catch {
                            #expect((error as? ExportError)?.isRetriable == true, "seed \(seed), \(attempt): \(error)")
                        }
                    }
                }
            }
        }
        try await Self.owner().live(Self.store(s3.transport(), seed: seed + 99), seed: seed)
        let problems = try await Self.problems(s3)
        #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(3))")
    }

    @Test func aStoreThatIgnoresTheConditionIsRefused() async throws {
        let s3 = SimulatedS3(ignoresConditions: true)
        let error = await #expect(throws: ExportError.self) {
            try await Self.owner().live(Self.store(s3.transport()), seed: 1)
        }
        #expect(error?.code == .damaged && error?.message.contains("If-None-Match") == true)
        #expect(s3.objects(below: "").isEmpty)
    }

    /// Files that somebody removed are never brought back, and the pipeline goes on.
    @Test func removedFilesStayRemoved() async throws {
        let s3 = SimulatedS3()
        let first = s3.transport()
        first.kill(at: 60)
        _ = try? await Self.owner().live(Self.store(first), seed: 1)
        let removed = Set(s3.objects(below: Self.table).keys)
        #expect(!removed.isEmpty)
        for key in removed { s3.remove(key) }
        try await Self.owner().live(Self.store(s3.transport(), seed: 2), seed: 2)
        #expect(removed.isDisjoint(with: s3.objects(below: Self.table).keys))
    }

    @Test func anUploadThatWasAbortedIsSaid() async throws {
        let s3 = SimulatedS3()
        let transport = s3.transport { _, call in
            if call.method == "POST", call.url.contains("uploadId=") { s3.abortAllUploads() }
            return nil
        }
        let error = await #expect(throws: ExportError.self) {
            try await Self.owner().live(Self.store(transport), seed: 1)
        }
        #expect(error?.code == .damaged && error?.message.contains("lifecycle rule") == true)
    }

    @Test func anotherPipelinesFileIsNeverReplaced() async throws {
        let whole = SimulatedS3()
        try await Self.owner().live(Self.store(whole.transport()), seed: 1)
        let key = try #require(whole.objects(below: Self.table).keys.min())
        let s3 = SimulatedS3()
        s3.put(key, [7])
        let error = await #expect(throws: ExportError.self) {
            try await Self.owner().live(Self.store(s3.transport()), seed: 1)
        }
        #expect(error?.code == .conflict, "\(error.map { "\($0)" } ?? "nothing")")
        #expect(s3.objects(below: key) == [key: [7]])
    }

    /// The end of a chain that takes more than a page is found without reading all its pages.
    @Test(arguments: [1, 3, 4, 1004, 1005, 2500])
    func theEndOfALongChainIsFound(count: Int64) async throws {
        let s3 = SimulatedS3()
        let folder = "logs/\(ChainPaths.folder(Fixture.chain))"
        for index in 0..<count {
            let record = Fixture.record(index, index == 0 ? .takeover : .gap, index, index)
            s3.put("\(folder)/\(ChainPaths.recordName(index))", record.encoded())
        }
        let transport = s3.transport()
        #expect(try await Self.store(transport).tail(of: Fixture.chain)?.last.index == count - 1)
        #expect(transport.requestCount < 40)
    }

    @Test(arguments: [
        ("AccessDenied", 403, "s3:PutObject"), ("NoSuchBucket", 404, "make the bucket"),
        ("InvalidAccessKeyId", 403, "'access_key'"), ("RequestTimeTooSkewed", 403, "clock"),
        ("ExpiredToken", 400, "'session_token'"), ("AuthorizationHeaderMalformed", 400, "eu-west-3"),
    ])
    func aRefusalSaysWhatToDo(code: String, status: Int, hint: String) async throws {
        struct Refusing: HTTPTransport {
            var code: String
            var status: Int
            func send(_ call: HTTPCall) async throws(HTTPFailure) -> HTTPAnswer {
                let text = "<?xml version=\"1.0\"?>\n<Error><Code>\(code)</Code><Message>no</Message></Error>"
                let region = code.hasPrefix("Authorization") ? [HTTPHeader("x-amz-bucket-region", "eu-west-3")] : []
                return HTTPAnswer(status: status, headers: region, body: Array(text.utf8))
            }
        }
        let error = await #expect(throws: ExportError.self) {
            try await Self.owner().live(Self.store(Refusing(code: code, status: status)), seed: 1)
        }
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    // MARK: - Keys

    /// A store that takes no other keys than those that are in use now.
    private final class KeyedTransport: HTTPTransport {
        let inner: SimulatedS3.Transport
        let accepted = Mutex("first")
        let refusals = Mutex(0)
        init(_ s3: SimulatedS3) { inner = s3.transport() }

        func send(_ call: HTTPCall) async throws(HTTPFailure) -> HTTPAnswer {
            let key = accepted.withLock { $0 }
            let authorization = call.headers.first { $0.name == "authorization" }?.value ?? ""
            guard authorization.contains("Credential=\(key)/") else {
                refusals.withLock { $0 += 1 }
                let text = "<Error><Code>ExpiredToken</Code><Message>no</Message></Error>"
                return HTTPAnswer(status: 400, body: Array(text.utf8))
            }
            return try await inner.send(call)
        }
    }

    @Test func keysAreReadAgainWhenTheyAreOver() async throws {
        let s3 = SimulatedS3()
        let transport = KeyedTransport(s3)
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/spool")
        func write(_ key: String) throws {
            let text =
                "[other]\naws_access_key_id=x\n[ lent ]\n# renewed by others\naws_access_key_id = \(key)\r\nAWS_SECRET_ACCESS_KEY=s=/+\n"
            try? disk.unlink("/keys")
            let file = try disk.open("/keys", .createNew)
            try Array(text.utf8).withUnsafeBytes { try file.write($0, at: 0) }
            file.close()
        }
        try write("first")
        var settings = S3Settings(bucket: "bucket", prefix: "logs/")
        settings.endpoint = "http://s3:9000"
        settings.credentialsFile = "/keys"
        settings.profile = "lent"
        settings.spool = "/spool"
        let store = S3Store(settings, transport: transport, fileSystem: disk, time: ManualTime(), sleep: { _ in })
        #expect(try await store.tail(of: Fixture.chain) == nil)
        #expect(transport.refusals.withLock { $0 } == 0)
        // What is over and not renewed is said, once.
        transport.accepted.withLock { $0 = "second" }
        let error = await #expect(throws: ExportError.self) { try await store.tail(of: Fixture.chain) }
        #expect(error?.message.contains("'keys_file'") == true, "\(error?.message ?? "")")
        #expect(transport.refusals.withLock { $0 } == 1)
        try write("second")
        #expect(try await store.tail(of: Fixture.chain) == nil)
        #expect(transport.refusals.withLock { $0 } == 2)
        try disk.unlink("/keys")
        transport.accepted.withLock { $0 = "third" }
        let missing = await #expect(throws: ExportError.self) { try await store.tail(of: Fixture.chain) }
        #expect(missing?.message.contains("/keys has no aws_access_key_id") == true, "\(missing?.message ?? "")")
    }

    // MARK: - Markers

    private static func marker(_ generation: Int64, _ folder: String) -> HourMarker {
        HourMarker(
            pipeline: Fixture.chain.pipeline, table: Fixture.chain.table, folder: folder, generation: generation,
            rows: generation, files: 1, positions: [.init(Fixture.chain, to: Offset(1))], agents: [], sources: [],
            sourcesTotal: 0, madeAt: Timestamp(milliseconds: 1))
    }

    @Test func aMarkerIsReplacedAndItsFolderMustBeThere() async throws {
        let s3 = SimulatedS3()
        let store = Self.store(s3.transport())
        try await Self.owner().live(store, seed: 1)
        let path = try #require(s3.objects(below: Self.table).keys.min()).dropFirst(Self.table.utf8.count)
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        #expect(try await store.marker(in: folder, of: Fixture.chain.table) == nil)
        for generation in 1...2 as ClosedRange<Int64> {
            #expect(try await store.writeMarker(Self.marker(generation, folder)))
            let standing = try await store.marker(in: folder, of: Fixture.chain.table)
            #expect(standing == Self.marker(generation, folder))
        }
        #expect(try await !store.writeMarker(Self.marker(1, "dt=1999-01-01/hour=00")))
    }
}
