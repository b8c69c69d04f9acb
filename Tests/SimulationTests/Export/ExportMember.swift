import Base
import Events
import Exports
import NIOCore
import Records
import TestKit

/// A process of the export's group: runs the real `PartitionExport` on each partition that it believes to own.
final class ExportMember: @unchecked Sendable {
    private let host: ExportHost
    private let world: World
    private let number: Int
    let link: Link
    private(set) var files: ProcessFileSystem!
    private var generation = 0
    private var holds: [TopicPartition: Hold] = [:]

    /// That a partition is this member's, until it is taken away.
    private final class Hold: @unchecked Sendable {
        enum State { case held, revoked, lost }
        var state = State.held
        var position: Offset?
    }

    init(_ host: ExportHost, number: Int) {
        self.host = host
        self.number = number
        world = host.world
        link = Link(world, to: host.broker, name: "member \(number)")
        let world = world
        files = ProcessFileSystem(host.disk) { [weak host] in
            world.note("member \(number) dies")
            host?.memberDied()
        }
    }

    var isDead: Bool { files.isDead }

    var positions: [TopicPartition: Offset] { holds.compactMapValues(\.position) }

    func assigned(_ partitions: Set<TopicPartition>, generation: Int) {
        guard !isDead, generation > self.generation else { return }
        self.generation = generation
        for (partition, hold) in holds.sorted(by: { $0.key < $1.key }) where !partitions.contains(partition) {
            // Told in time it commits; else the partition is lost.
            hold.state = host.isFinishing || world.oneIn(2) ? .revoked : .lost
            holds[partition] = nil
        }
        for partition in partitions.sorted() where holds[partition] == nil {
            let hold = Hold()
            holds[partition] = hold
            host.tasks += 1
            Task(executorPreference: world.executor) { [self] in
                await own(partition, hold)
                host.tasks -= 1
            }
        }
    }

    // MARK: - Owning

    private func own(_ partition: TopicPartition, _ hold: Hold) async {
        while !isDead, hold.state == .held {
            do throws(ExportError) {
                try await attempt(partition, hold)
            } catch {
                hold.position = nil
                if isDead { return }
                world.note("member \(number), \(partition): \(error)")
                guard error.isRetriable else { return host.stopped(partition, error) }
            }
            await sleep(world.duration(.milliseconds(5)...(.seconds(1))))
        }
    }

    private func attempt(_ partition: TopicPartition, _ hold: Hold) async throws(ExportError) {
        let store = PausingStore(LocalStore(root: ExportHost.root, fileSystem: files)) { [self] in await pause() }
        let export = PartitionExport(
            chain: ExportHost.chain(of: partition), attempt: .random(using: &world.random),
            settings: ExportSettings(
                commit: .init(
                    bytesMax: ByteCount(host.traits.commitBytes), ageMax: host.traits.commitAge, filesMax: 12),
                format: TableFormat(level: 1), openFilesMax: host.traits.openFilesMax),
            store: store,
            source: .init(
                log: { [self] epoch in try await logRange(partition, epoch) },
                storeGroupOffset: { _, _ in }),
            time: world.time)
        var position = try await export.start()
        var lastEpoch = export.leaderEpoch
        world.note("member \(number) exports \(partition) from \(position)")
        hold.position = position
        while !isDead {
            switch hold.state {
            case .held: break
            case .revoked: return try await export.stop()
            case .lost: return await export.abandon()
            }
            let bytesMax = ByteCount(world.integer(100...3000))
            switch await ask(.fetch(partition, from: position, lastEpoch: lastEpoch, bytesMax: bytesMax)) {
            case .answered(.fetched(let bytes, _, let end)):
                position = try await take(bytes, from: position, &lastEpoch, export)
                hold.position = position
                if position >= end { await sleep(world.duration(.milliseconds(20)...(.milliseconds(300)))) }
            case .answered(.offsetOutOfRange): try await export.offsetOutOfRange()
            case .answered, .unanswered, .unsent: await sleep(.milliseconds(200))
            }
            try await export.tick()
        }
        await export.abandon()
    }

    private func take(
        _ bytes: ByteBuffer, from start: Offset, _ lastEpoch: inout LeaderEpoch,
        _ export: PartitionExport<PausingStore>
    ) async throws(ExportError) -> Offset {
        var position = start
        var cursor = RecordBatchCursor(bytes)
        do {
            while let batch = try cursor.next() {
                try batch.checkCRC()
                var records = try batch.records(decompressedMax: .mib(1))
                var count: Int64 = 0
                while let record = try records.next() {
                    guard record.offset >= position else { continue }
                    guard let value = record.value else { continue }
                    let event = Event([Field("line", .string(String(buffer: value)))])
                    export.append(
                        event, time: Self.hour(of: record.offset), offset: record.offset, timestamp: record.timestamp)
                    count += 1
                    position = record.offset + 1
                    if export.wantsFlush { try await export.flush() }
                }
                // Where the log lost a batch an empty one stands, or nothing.
                position = max(position, batch.nextOffset)
                lastEpoch = batch.partitionLeaderEpoch
                try await export.advance(to: position, leaderEpoch: batch.partitionLeaderEpoch, records: count)
            }
        } catch let error as ExportError { throw error } catch {
            world.violated("member \(number) can't read what was fetched from \(start): \(error)")
        }
        return position
    }

    /// Rows go to several folders.
    private static func hour(of offset: Offset) -> Timestamp {
        Timestamp(milliseconds: 1_795_305_600_000 + (offset.rawValue / 7 % 3) * 3_600_000)
    }

    private func logRange(_ partition: TopicPartition, _ epoch: LeaderEpoch) async throws -> LogRange {
        guard case .answered(.offsets(_, let start, let end)) = await ask(.listOffsets(partition)) else {
            throw ExportError(.store, "the broker does not answer")
        }
        guard epoch != .none else { return LogRange(start: start, end: end) }
        guard case .answered(.epochEnd(let epochEnd)) = await ask(.epochEnd(partition, epoch)) else {
            throw ExportError(.store, "the broker does not answer")
        }
        return LogRange(start: start, end: end, epochEnd: epochEnd)
    }

    // MARK: - Waiting

    private func ask(_ request: BrokerRequest) async -> Link.Outcome {
        await withUnsafeContinuation { continuation in
            link.send(request) { continuation.resume(returning: $0) }
        }
    }

    private func sleep(_ duration: Duration) async {
        await withUnsafeContinuation { continuation in world.after(duration) { continuation.resume() } }
    }

    /// Between two calls of the store others go on: seldom, for so long that the group has given up this one.
    private func pause() async {
        if world.oneIn(3) { return }
        await sleep(
            world.oneIn(60) ? world.duration(.seconds(1)...(.seconds(20))) : world.duration(.zero...(.milliseconds(4))))
    }
}
