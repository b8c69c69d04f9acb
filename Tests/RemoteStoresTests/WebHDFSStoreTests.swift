import Base
import Events
import ExportTestKit
import Exports
import RemoteStores
import Synchronization
import SystemPackage
import TestKit
import Testing

/// The commit protocol over WebHDFS: every request fails in every way, owners die at every request, and the table still holds every record once.
@Suite struct WebHDFSStoreTests {
    private static let topic = TestTopic(count: 60)

    private static func settings() -> WebHDFSSettings {
        var settings = WebHDFSSettings(nameNodes: ["nn:9870"], path: "/logs", user: "etl")
        settings.spool = "/spool"
        settings.hosts = [:]
        return settings
    }

    private static func store(_ transport: any HTTPTransport, seed: UInt64 = 1) -> WebHDFSStore {
        let random = Mutex(SeededRandom(seed: seed &+ 0x5eed))
        let disk = SimulatedFileSystem()
        try? disk.createDirectory("/spool")
        return WebHDFSStore(
            settings(), transport: transport, fileSystem: disk,
            random: { random.withLock { KafkaUUID.random(using: &$0) } }, sleep: { _ in })
    }

    private static func owner() -> TestOwner { TestOwner(topic: topic, time: ManualTime()) }

    /// What keeps the table from holding every record once.
    private static func problems(_ hdfs: SimulatedHDFS) async throws -> [String] {
        let store = store(hdfs.transport())
        var problems = try await ExportAudit(store).run().findings.map(\.description)
        var found: [Int64: Int] = [:]
        for (path, bytes) in hdfs.files(below: "/logs/\(Fixture.chain.table)") where !path.hasSuffix("/_SUCCESS") {
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

    /// Files that no takeover removed though nobody needs them.
    private static func leftovers(_ hdfs: SimulatedHDFS) -> [String] {
        hdfs.files(below: "/logs/.millrace").keys.filter { !$0.hasSuffix(".commit") }
    }

    @Test(arguments: [SimulatedHDFS.Generation.hadoop2, .hadoop3])
    func withoutAnyFaultEveryRecordIsThereOnce(generation: SimulatedHDFS.Generation) async throws {
        let hdfs = SimulatedHDFS(generation)
        try await Self.owner().live(Self.store(hdfs.transport()), seed: 1)
        #expect(try await Self.problems(hdfs).isEmpty)
        let left = Self.leftovers(hdfs)
        #expect(left.isEmpty, "\(left)")
    }

    /// Each request of an owner's life fails once; it goes on by itself, or its next attempt does.
    @Test(arguments: SimulatedHDFS.Fault.allCases)
    func everyRequestFailsOnce(fault: SimulatedHDFS.Fault) async throws {
        let whole = SimulatedHDFS()
        let counted = whole.transport()
        try await Self.owner().live(Self.store(counted), seed: 1)
        for number in 1...counted.requestCount {
            let hdfs = SimulatedHDFS()
            do {
                try await Self.owner().live(Self.store(hdfs.transport { at, _ in at == number ? fault : nil }), seed: 1)
            } catch {
                #expect((error as? ExportError)?.isRetriable == true, "\(fault) at \(number): \(error)")
                try await Self.owner().live(Self.store(hdfs.transport(), seed: 2), seed: 2)
            }
            let problems = try await Self.problems(hdfs)
            #expect(problems.isEmpty, "\(fault) at \(number): \(problems.prefix(3))")
        }
    }

    /// An owner dies at each request, its last answer lost or not; the next dies too, now and then; the last one finds everything.
    @Test(arguments: [SimulatedHDFS.Fault?.none, .answerLost, .cutShort, .delayed])
    func killedAtEveryRequest(fault: SimulatedHDFS.Fault?) async throws {
        let counted = SimulatedHDFS().transport()
        try await Self.owner().live(Self.store(counted), seed: 1)
        for number in 1...counted.requestCount {
            let hdfs = SimulatedHDFS()
            var random = SeededRandom(seed: UInt64(number))
            let first = hdfs.transport { at, _ in at == number - 1 ? fault : nil }
            first.kill(at: number)
            await #expect(throws: ExportError.self) { try await Self.owner().live(Self.store(first), seed: 1) }
            if random.oneIn(2) {
                let second = hdfs.transport()
                second.kill(at: Int.random(in: 1...40, using: &random))
                _ = try? await Self.owner().live(Self.store(second, seed: 7), seed: random.next())
            }
            try await Self.owner().live(Self.store(hdfs.transport(), seed: 8), seed: random.next())
            let problems = try await Self.problems(hdfs)
            #expect(problems.isEmpty, "killed at \(number): \(problems.prefix(3))")
            let left = Self.leftovers(hdfs)
            #expect(left.isEmpty, "killed at \(number): \(left)")
        }
    }

    /// Owners that hold the same partition at once, each request of each failing now and then.
    @Test(arguments: 0..<60)
    func ownersCompete(seed: UInt64) async throws {
        let hdfs = SimulatedHDFS(seed % 2 == 0 ? .hadoop2 : .hadoop3)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<3 {
                group.addTask {
                    let random = Mutex(SeededRandom(seed: seed * 31 + UInt64(number)))
                    let transport = hdfs.transport { _, _ in
                        random.withLock { random in
                            random.oneIn(12) ? SimulatedHDFS.Fault.allCases.randomElement(using: &random) : nil
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
        try await Self.owner().live(Self.store(hdfs.transport(), seed: seed + 99), seed: seed)
        let problems = try await Self.problems(hdfs)
        #expect(problems.isEmpty, "seed \(seed): \(problems.prefix(3))")
    }

    @Test func aStoreThatRenamesOntoFilesIsRefused() async throws {
        let hdfs = SimulatedHDFS(replacesOnRename: true)
        let error = await #expect(throws: ExportError.self) {
            try await Self.owner().live(Self.store(hdfs.transport()), seed: 1)
        }
        #expect(error?.code == .damaged && error?.message.contains("renames onto files that stand") == true)
        #expect(hdfs.files(below: "/logs").isEmpty)
    }

    @Test func theActiveNameNodeOfAPairIsFound() async throws {
        let hdfs = SimulatedHDFS()
        var settings = Self.settings()
        settings.nameNodes = ["nn1:9870", "nn2:9870"]
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/spool")
        let transport = hdfs.transport { _, call in call.url.contains("nn1") ? .standby : nil }
        let store = WebHDFSStore(settings, transport: transport, fileSystem: disk, sleep: { _ in })
        try await Self.owner().live(store, seed: 1)
        #expect(try await Self.problems(hdfs).isEmpty)
        let retries = transport.requestCount
        let plain = SimulatedHDFS().transport()
        try await Self.owner().live(Self.store(plain), seed: 1)
        #expect(retries == plain.requestCount + 1, "the standby is asked once")
    }

    @Test func aDataNodeIsReachedUnderItsMappedName() async throws {
        let hdfs = SimulatedHDFS()
        let asked = Mutex<Set<String>>([])
        var settings = Self.settings()
        settings.hosts = ["datanode-1.internal": "10.0.0.7:1234"]
        let transport = hdfs.transport { _, call in
            asked.withLock { _ = $0.insert(String(call.url.split(separator: "/")[1])) }
            return call.url.contains("10.0.0.7") ? .answerLost : nil
        }
        let disk = SimulatedFileSystem()
        try disk.createDirectory("/spool")
        let store = WebHDFSStore(settings, transport: transport, fileSystem: disk, sleep: { _ in })
        await #expect(throws: ExportError.self) { try await Self.owner().live(store, seed: 1) }
        #expect(asked.withLock { $0 } == ["nn:9870", "10.0.0.7:1234"])
    }

    @Test func aRefusalSaysWhatToDo() async throws {
        struct Refusing: HTTPTransport {
            func send(_ call: HTTPCall) async throws(HTTPFailure) -> HTTPAnswer {
                let text = """
                    {"RemoteException":{"exception":"AccessControlException","javaClassName":"x","message":"Permission denied: user=etl, access=WRITE"}}
                    """
                return HTTPAnswer(status: 403, body: Array(text.utf8))
            }
        }
        let error = await #expect(throws: ExportError.self) {
            try await Self.owner().live(Self.store(Refusing()), seed: 1)
        }
        #expect(error?.message.contains("Permission denied: user=etl") == true)
        #expect(error?.message.contains("name another with 'user'") == true)
    }

    // MARK: - Markers

    private static func marker(_ generation: Int64, _ folder: String) -> HourMarker {
        HourMarker(
            pipeline: Fixture.chain.pipeline, table: Fixture.chain.table, folder: folder, generation: generation,
            rows: generation, files: 1, positions: [.init(Fixture.chain, to: Offset(1))], agents: [], sources: [],
            sourcesTotal: 0, madeAt: Timestamp(milliseconds: 1))
    }

    /// The folder of some published file.
    private static func folder(_ hdfs: SimulatedHDFS) throws -> String {
        let below = "/logs/\(Fixture.chain.table)"
        let path = try #require(hdfs.files(below: below).keys.min())
        return path.dropFirst(below.utf8.count + 1).split(separator: "/").dropLast().joined(separator: "/")
    }

    /// Whichever request fails, the old marker, the new one or none stands, and writing it again mends it.
    @Test(arguments: SimulatedHDFS.Fault.allCases)
    func aMarkerIsReplacedWhicheverRequestFails(fault: SimulatedHDFS.Fault) async throws {
        for number in 1...40 {
            let hdfs = SimulatedHDFS()
            try await Self.owner().live(Self.store(hdfs.transport()), seed: 1)
            let folder = try Self.folder(hdfs)
            let store = Self.store(hdfs.transport(), seed: 2)
            #expect(try await store.marker(in: folder, of: Fixture.chain.table) == nil)
            #expect(try await store.writeMarker(Self.marker(1, folder)))
            #expect(try await store.marker(in: folder, of: Fixture.chain.table) == Self.marker(1, folder))
            let troubled = hdfs.transport { at, _ in at == number ? fault : nil }
            do {
                #expect(try await Self.store(troubled, seed: 3).writeMarker(Self.marker(2, folder)))
            } catch {
                #expect((error as? ExportError)?.isRetriable == true, "\(fault) at \(number): \(error)")
            }
            let standing = try await store.marker(in: folder, of: Fixture.chain.table)
            #expect(standing.map { $0.generation == 1 || $0.generation == 2 } ?? true, "\(fault) at \(number)")
            #expect(try await store.writeMarker(Self.marker(3, folder)))
            #expect(try await store.marker(in: folder, of: Fixture.chain.table) == Self.marker(3, folder))
            #expect(try await Self.problems(hdfs).filter { !$0.contains("marker") }.isEmpty)
            if troubled.requestCount < number { return }
        }
        Issue.record("a marker takes more than 40 requests")
    }

    @Test func aMarkerIsNotWrittenWhereItsFolderIsGone() async throws {
        let hdfs = SimulatedHDFS()
        try await Self.owner().live(Self.store(hdfs.transport()), seed: 1)
        #expect(try await !Self.store(hdfs.transport(), seed: 2).writeMarker(Self.marker(1, "dt=1999-01-01/hour=00")))
    }
}
