import Base
import GroupCoordination
import KafkaConnection
import KafkaWire
import LogStorage
import Logging
import NIOCore
import Synchronization
import SystemPackage
import Telemetry

/// The parts of a started broker, and the order in which they come up and go down.
final class RunningBroker: Sendable {
    let services: BrokerServices
    private let logs: LogDirectories
    private let store: FileMetadataStore
    private let flushes: FlushGroup
    private let lanes: [DiskLane]
    private let adminLane: DiskLane
    /// For retention and compaction, which take their time: one for each log directory, so that a slow disk holds up no other.
    private let upkeepLanes: [DiskLane]
    private let scrubbings: [Scrubbing]
    private let table: ApiTable
    private let certificates: ListenerCertificates
    private let listeners = Mutex<[ServerListener]>([])
    private let housekeeping = Mutex<[Task<Void, Never>]>([])
    private let groupTicking = Mutex<Task<Void, Never>?>(nil)
    private let vitals: BrokerVitals

    private init(
        services: BrokerServices, logs: LogDirectories, store: FileMetadataStore, flushes: FlushGroup,
        lanes: [DiskLane],
        adminLane: DiskLane, certificates: ListenerCertificates, vitals: BrokerVitals
    ) {
        self.certificates = certificates
        self.vitals = vitals
        self.services = services
        self.logs = logs
        self.store = store
        self.flushes = flushes
        self.lanes = lanes
        self.adminLane = adminLane
        upkeepLanes = logs.all.map { _ in DiskLane() }
        scrubbings = logs.all.map { Scrubbing(LogScrubber($0, settings: services.settings.scrubbing)) }
        table = Self.table(services)
    }

    /// Recovers the logs, loads the metadata and brings the two into line.
    static func open(
        _ settings: BrokerSettings, fileSystem: any FileSystem, time: any TimeSource,
        eventLoopGroup: any EventLoopGroup, telemetry: Telemetry, health: Health,
        transportSecurity: TransportSecurityMaker?
    ) async throws -> RunningBroker {
        let certificates = try ListenerCertificates(settings, make: transportSecurity, telemetry: telemetry)
        try certificates.load()
        let adminLane = DiskLane(jobsMax: settings.limits.diskJobsMax)
        let queryLane = DiskLane(jobsMax: settings.limits.diskJobsMax)
        let writeLanes = (0..<settings.diskLanes).map { _ in DiskLane(jobsMax: settings.limits.diskJobsMax) }
        let passwordLane = DiskLane(jobsMax: settings.limits.unauthenticatedMax)
        let lanes = [adminLane, queryLane, passwordLane] + writeLanes
        let flushes = FlushGroup(threads: max(FlushGroup.threadsUsual, settings.diskLanes))
        var opened: LogDirectories?
        do {
            // The log directories' locks come first: they keep a second broker away from the metadata too.
            let logs = try await openLogs(
                settings, fileSystem: fileSystem, time: time, telemetry: telemetry, health: health, lane: adminLane)
            opened = logs
            let store = FileMetadataStore(
                folder: settings.data, brokerID: settings.brokerID, fileSystem: fileSystem, time: time, lane: adminLane)
            var loaded = try await store.load()
            let seenEpoch = logs.partitions.compactMap(\.latestEpoch).max() ?? .none
            loaded.metadata = try await store.apply(.brokerStarted(seen: seenEpoch))
            if loaded.origin != .stored, !logs.partitions.isEmpty || !logs.offlinePartitions.isEmpty {
                // The counter is lost. Counting on from the clock can't meet ids that were counted from zero.
                let next = ProducerID((time.wallTime.milliseconds / 1000) << 20)
                loaded.metadata = try await store.apply(.producerIDsRaised(next: next))
            }
            let fetches = WaitingFetches(
                waitingMax: settings.limits.waitingFetchesMax, time: time, timerLoop: eventLoopGroup.next())
            let folders = PartitionFolders(
                logs: logs, adminLane: adminLane, writeLanes: writeLanes, leaderEpoch: loaded.metadata.leaderEpoch,
                telemetry: telemetry)
            let topics = TopicCatalog(
                store: store, folders: folders, settings: settings, fetches: fetches, telemetry: telemetry)
            try await topics.open(loaded)
            let appender = PartitionAppender(
                flusher: flushes, fetches: fetches, time: time, telemetry: telemetry,
                waitingBytesMax: settings.limits.diskJobBytesMax)
            var groupSettings = GroupSettings()
            groupSettings.offsetRetention = settings.offsetRetention
            groupSettings.consumerSessionTimeout = settings.consumerSessionTimeout
            groupSettings.consumerHeartbeatInterval = settings.consumerHeartbeatInterval
            let groups = GroupCoordinator(
                topic: try await offsetsTopic(in: topics, appender: appender, time: time), topics: topics,
                settings: groupSettings, time: time, telemetry: telemetry)
            var transactionSettings = TransactionCoordinator.Settings()
            transactionSettings.timeoutMax = settings.transactionTimeoutMax
            transactionSettings.expiration = settings.transactionalIDExpiration
            transactionSettings.idsMax = settings.limits.transactionalIDsMax
            transactionSettings.hangingAge = settings.hangingTransactionAge
            let transactions = TransactionCoordinator(
                topic: topics.topic(named: TransactionsTopic.name).map {
                    TransactionsTopic(partitions: $0.partitions, appender: appender, time: time)
                },
                makeTopic: { await makeTransactionsTopic(in: topics, appender: appender, time: time) },
                topics: topics, groups: groups, appender: appender, settings: transactionSettings,
                epoch: loaded.metadata.leaderEpoch, time: time, telemetry: telemetry)
            let services = BrokerServices(
                settings: settings, clusterID: loaded.metadata.clusterID, leaderEpoch: loaded.metadata.leaderEpoch,
                fileSystem: fileSystem, logs: logs, topics: topics, appender: appender, fetches: fetches,
                fetchSessions: FetchSessions(
                    limits: FetchSessionCache.Limits(
                        sessionsMax: settings.limits.fetchSessionsMax,
                        partitionsMax: settings.limits.fetchSessionPartitionsMax),
                    time: time, telemetry: telemetry),
                readAhead: ReadAhead(
                    threads: settings.diskLanes, jobsMax: settings.limits.diskJobsMax, telemetry: telemetry),
                producerIDs: ProducerIDs(store: store),
                groups: groups, transactions: transactions,
                authentication: Authentication(
                    users: ScramUsers(
                        store: store, metadata: loaded.metadata, countMax: settings.limits.usersMax),
                    lane: passwordLane, telemetry: telemetry),
                queryLane: queryLane, time: time, telemetry: telemetry)
            return RunningBroker(
                services: services, logs: logs, store: store, flushes: flushes, lanes: lanes, adminLane: adminLane,
                certificates: certificates,
                vitals: BrokerVitals(
                    lanes: [("admin", adminLane), ("query", queryLane)]
                        + writeLanes.enumerated().map { ("write \($0 + 1)", $1) },
                    loops: eventLoopGroup, health: health, time: time))
        } catch {
            await adminLane.run { [opened] in
                flushes.close()
                try? opened?.shutDown()
            }
            for lane in lanes { await lane.shutDown() }
            throw error
        }
    }

    private static func openLogs(
        _ settings: BrokerSettings, fileSystem: any FileSystem, time: any TimeSource, telemetry: Telemetry,
        health: Health, lane: DiskLane
    ) async throws -> LogDirectories {
        let outcome = await lane.run { () -> Result<LogDirectories, any Error> in
            Result {
                try createDurably(settings.data, fileSystem)
                var directorySettings = LogDirectorySettings()
                directorySettings.reserve = settings.diskReserve
                directorySettings.recoveryThreads = System.coreCount
                directorySettings.producersMax = settings.limits.producersPerPartitionMax
                let logs = LogDirectories(
                    paths: settings.logFolders, fileSystem: fileSystem, time: time, settings: directorySettings,
                    onFact: {
                        telemetry.emit(LogFactReport(fact: $0))
                        BrokerVitals.report($0, to: health, directories: settings.logFolders.count)
                    })
                try logs.open()
                return logs
            }
        }
        return try outcome.get()
    }

    private static func offsetsTopic(
        in topics: TopicCatalog, appender: PartitionAppender, time: any TimeSource
    ) async throws -> OffsetsTopic {
        let order = TopicCatalog.Order(
            name: OffsetsTopic.name, partitionCount: OffsetsTopic.partitionCount, settings: OffsetsTopic.settings)
        let topic = try await topics.findOrCreate(order)
        return OffsetsTopic(partitions: topic.partitions, appender: appender, time: time)
    }

    /// Nil where it can't be made, which the catalog tells; it is tried again when the next client asks.
    private static func makeTransactionsTopic(
        in topics: TopicCatalog, appender: PartitionAppender, time: any TimeSource
    ) async -> TransactionsTopic? {
        let order = TopicCatalog.Order(
            name: TransactionsTopic.name, partitionCount: TransactionsTopic.partitionCount,
            settings: TransactionsTopic.settings)
        guard let topic = try? await topics.findOrCreate(order) else { return nil }
        return TransactionsTopic(partitions: topic.partitions, appender: appender, time: time)
    }

    /// Makes the folder and its missing parents so that they survive a power cut.
    private static func createDurably(_ path: FilePath, _ fileSystem: any FileSystem) throws(FileError) {
        var missing: [FilePath] = []
        var ancestor = path
        while try !fileSystem.exists(ancestor), ancestor != ancestor.removingLastComponent() {
            missing.append(ancestor)
            ancestor = ancestor.removingLastComponent()
        }
        try fileSystem.createDirectory(path)
        for made in missing { try fileSystem.syncDirectory(made.removingLastComponent()) }
    }

    private static func table(_ services: BrokerServices) -> ApiTable {
        var table = ApiTable()
        let advertised = ApiVersionsHandler.Advertised()
        table.add(ApiVersionsHandler(advertised: advertised))
        table.add(MetadataHandler(services: services))
        table.add(ProduceHandler(services: services))
        table.add(FetchHandler(services: services))
        table.add(ListOffsetsHandler(services: services))
        table.add(OffsetForLeaderEpochHandler(services: services))
        table.add(InitProducerIdHandler(services: services))
        table.add(DescribeProducersHandler(services: services))
        table.add(FindCoordinatorHandler(services: services))
        table.add(CreateTopicsHandler(services: services))
        table.add(DeleteTopicsHandler(services: services))
        table.add(CreatePartitionsHandler(services: services))
        table.add(DeleteRecordsHandler(services: services))
        table.add(DescribeConfigsHandler(services: services))
        table.add(IncrementalAlterConfigsHandler(services: services))
        table.add(AlterConfigsHandler(services: services))
        table.add(ListConfigResourcesHandler(services: services))
        table.add(DescribeLogDirsHandler(services: services))
        table.add(ElectLeadersHandler(services: services))
        table.add(AlterPartitionReassignmentsHandler(services: services))
        table.add(ListPartitionReassignmentsHandler())
        table.add(DescribeClusterHandler(services: services))
        table.add(DescribeTopicPartitionsHandler(services: services))
        table.add(SaslHandshakeHandler(authentication: services.authentication))
        table.add(SaslAuthenticateHandler(authentication: services.authentication, time: services.time))
        table.add(DescribeUserScramCredentialsHandler(users: services.authentication.users))
        table.add(AlterUserScramCredentialsHandler(users: services.authentication.users))
        GroupApis.add(to: &table, services: services)
        TransactionApis.add(to: &table, services: services)
        advertised.set(table.versions)
        return table
    }

    // MARK: Up

    var addresses: [Address] { listeners.withLock { $0.map(\.address) } }

    func listen(on group: any EventLoopGroup) async throws {
        let limits = services.settings.limits
        var serverSettings = ServerSettings(versions: table.versions)
        serverSettings.requestBytesMax = limits.requestBytesMax
        serverSettings.requestsInFlightMax = limits.connectionRequestsMax
        serverSettings.requestBytesInFlightMax = limits.connectionRequestBytesMax
        serverSettings.idleMax = limits.connectionIdleMax
        serverSettings.connectionsMax = limits.connectionsMax
        serverSettings.connectionsPerAddressMax = limits.connectionsPerAddressMax
        serverSettings.receiveMax = limits.requestReceiveMax
        serverSettings.budget = requestBudget()
        serverSettings.authenticationMax = limits.authenticationMax
        serverSettings.unauthenticatedMax = limits.unauthenticatedMax
        serverSettings.fileReads = services.readAhead
        for settings in services.settings.listeners {
            let dispatcher = ListenerDispatcher(
                listener: settings, table: table, fetches: services.fetches, time: services.time,
                telemetry: services.telemetry)
            serverSettings.security = certificates.security(of: settings.name)
            serverSettings.requiresAuthentication = !settings.sasl.isEmpty
            let listener = try await ServerListener.bind(
                settings.bind, on: group, settings: serverSettings, dispatcher: dispatcher)
            dispatcher.bound(to: listener.address)
            listeners.withLock { $0.append(listener) }
        }
        startHousekeeping()
        services.telemetry.emit(
            BrokerStarted(
                brokerID: services.brokerID, clusterID: services.clusterID, leaderEpoch: services.leaderEpoch,
                listeners: zip(addresses, services.settings.listeners).map { "\($0)\($1.protection)" },
                isLocal: services.settings.listeners.allSatisfy(\.bind.isLoopback),
                topicCount: services.topics.topics.count,
                partitionCount: services.topics.partitionCount))
    }

    /// One for all listeners.
    private func requestBudget() -> RequestBudget {
        let metrics = services.telemetry.metrics
        let log = Mutex(RefusalLog())
        let bytesMax = services.settings.limits.requestBytesInFlightMax
        return RequestBudget(
            bytesMax: bytesMax, taken: metrics.gauge(BrokerMetrics.requestBytes),
            waits: metrics.counter(BrokerMetrics.requestWaits)
        ) { [services] in
            let unsaidCount = log.withLock { $0.refused(now: services.time.now) }
            services.telemetry.emit(
                RequestBudgetExhausted(bytesMax: bytesMax, isSaid: unsaidCount != nil, unsaidCount: unsaidCount ?? 0))
        }
    }

    /// Retention, checkpoints and interval flushes, once a second, off the event loops.
    private func startHousekeeping() {
        vitals.start { [services] in services.groups.isLoaded && services.transactions.isLoaded }
        let tasks = zip(logs.all, upkeepLanes).map { directory, lane in
            Task { [services] in
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(1))
                    guard !Task.isCancelled else { return }
                    await lane.run { directory.tick(now: services.time.now) }
                }
            }
        }
        housekeeping.withLock { $0 = tasks + (certificates.isEmpty ? [] : [watchCertificates()]) }
        for scrubbing in scrubbings { scrubbing.start() }
        // Groups answer "loading" until their offsets are replayed; nothing else waits for that.
        _ = services.queryLane.submit { [services] in
            services.groups.load()
            services.transactions.load()
        }
        let ticking = Task { [services] in
            while !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(100))
                services.groups.tick()
                services.transactions.tick()
            }
        }
        groupTicking.withLock { $0 = ticking }
    }

    private func watchCertificates() -> Task<Void, Never> {
        Task { [self] in
            while !Task.isCancelled {
                try? await Task.sleep(for: ListenerCertificates.lookInterval)
                guard !Task.isCancelled else { return }
                await refreshCertificates()
            }
        }
    }

    func refreshCertificates() async {
        await services.queryLane.run { [certificates] in certificates.refresh() }
    }

    // MARK: Down

    func shutDown() async {
        let tasks = housekeeping.withLock { $0 }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        for scrubbing in scrubbings { await scrubbing.stop() }
        let ticking = groupTicking.withLock { $0 }
        ticking?.cancel()
        await ticking?.value
        await vitals.stop()
        for listener in listeners.withLock({ $0 }) { await listener.close() }
        services.fetches.shutDown()
        await services.readAhead.shutDown()
        // What was taken in is written before the logs close.
        for lane in upkeepLanes + lanes where lane !== adminLane { await lane.shutDown() }
        let failure = await adminLane.run { [logs, store, flushes] () -> LogError? in
            flushes.close()
            store.close()
            do throws(LogError) { try logs.shutDown() } catch { return error }
            return nil
        }
        if let failure {
            services.telemetry.emit(
                Note(
                    "the logs were not left clean, so that the next start checks them: \(failure.message)",
                    level: .warning))
        }
        await adminLane.shutDown()
    }
}

/// What the log engine reports, as a fact of this process.
struct LogFactReport: Fact {
    let fact: LogFact

    var level: Logger.Level {
        switch fact.level {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
    var message: String { fact.description }
    func measure(in metrics: MetricRegistry) {
        metrics.counter(BrokerMetrics.logEvents, fact.name).increment()
    }
}
