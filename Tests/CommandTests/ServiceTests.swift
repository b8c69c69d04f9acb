import Base
import Foundation
import ServiceLifecycle
import Synchronization
import Telemetry
import Testing

@testable import AgentCommands

#if canImport(Glibc)
    import Glibc
#endif

/// A socket that takes datagrams, as the service manager's does.
private final class NotifySocket {
    let descriptor: CInt

    init(_ name: String) {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(name.utf8)
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + path.count)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        precondition(result == 0, "bind: \(errno)")
    }

    deinit { close(descriptor) }

    /// What was said, a datagram an element.
    func heard() -> [String] {
        var all: [String] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return all }
            all.append(String(decoding: bytes[..<count], as: UTF8.self))
        }
    }
}

private final class HandClock: TimeSource {
    private let nanoseconds = Atomic<Int64>(0)
    var now: Instant { Instant(nanoseconds: nanoseconds.load(ordering: .relaxed)) }
    var wallTime: Timestamp { Timestamp(milliseconds: now.nanoseconds / 1_000_000) }
    func advance(by duration: Duration) { nanoseconds.add(duration.nanoseconds, ordering: .relaxed) }
}

@Suite struct TheServiceManagerHears {
    @Test(arguments: ["@millrace-test-\(getpid())", "/tmp/millrace-test-\(getpid()).socket"])
    func whatAServiceIs(name: String) {
        let socket = NotifySocket(name)
        defer { unlink(name) }
        let environment = ["NOTIFY_SOCKET": name, "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "\(getpid())"]
        let manager = ServiceManager(environment: environment)
        #expect(manager.watchdog == .seconds(3))
        let clock = HandClock()
        let health = Health(time: clock)
        let heart = health.heartbeat("the loop", silenceMax: .seconds(10))
        health.report("agent", .notReady("starting"))
        let notifier = ServiceNotifier(manager: manager, health: health, telemetry: .silent, time: clock)

        notifier.tick()
        #expect(socket.heard() == ["EXTEND_TIMEOUT_USEC=60000000\nWATCHDOG=1\nSTATUS=agent: starting"])
        health.started()
        notifier.tick()
        #expect(socket.heard() == ["READY=1\nWATCHDOG=1"])
        health.report("agent", .ready)
        notifier.tick()
        notifier.tick()
        #expect(socket.heard() == ["WATCHDOG=1\nSTATUS=ready", "WATCHDOG=1"])

        // A heart that is missed starves the watchdog, and feeds it again once it beats.
        clock.advance(by: .seconds(11))
        notifier.tick()
        #expect(socket.heard() == ["STATUS=the loop has not moved for 11 s"])
        notifier.tick()
        #expect(socket.heard() == [])
        heart.beat(now: clock.now)
        notifier.tick()
        #expect(socket.heard() == ["WATCHDOG=1\nSTATUS=ready"])

        notifier.reloadBegan()
        notifier.reloadEnded()
        notifier.stopBegan()
        notifier.stopBegan()
        #expect(
            socket.heard() == ["RELOADING=1\nMONOTONIC_USEC=11000000", "READY=1", "STOPPING=1\nSTATUS=stopping"])
    }

    @Test func nobodyWhereThereIsNone() {
        #expect(!ServiceManager(environment: [:]).tell(["READY=1"]))
        #expect(!ServiceManager(environment: ["NOTIFY_SOCKET": "/nowhere/socket"]).tell(["READY=1"]))
        #expect(!ServiceManager(environment: ["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 200)]).tell(["A=1"]))
        let other = ["NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"]
        #expect(ServiceManager(environment: other, pid: 2).watchdog == nil, "another process is watched")
    }

    @Test func aStatusIsOneLine() {
        #expect(ServiceManager.status("a\nREADY=1\0b") == "STATUS=a READY=1 b")
    }
}

@Suite struct HealthIsMissed {
    @Test func whileAHeartIsSilent() {
        let clock = HandClock()
        let health = Health(time: clock)
        health.report("broker", .ready)
        let heart = health.heartbeat("event loop 1", silenceMax: .seconds(60))
        clock.advance(by: .seconds(60))
        #expect(health.isHealthy && health.isReady)
        clock.advance(by: .seconds(1))
        #expect(!health.isHealthy && !health.isReady)
        #expect(health.text == "broker: ready\nstuck: event loop 1 has not moved for 61 s\n")
        health.stopWatching(heart)
        #expect(health.isHealthy)
    }
}

@Suite struct AUnit {
    @Test func isFoundInItsCgroup() {
        #expect(OwnUnit.name(cgroups: "0::/system.slice/millrace-agent.service\n") == "millrace-agent.service")
        #expect(
            OwnUnit.name(cgroups: "0::/system.slice/docker-1.scope/system.slice/millrace-agent.service\n")
                == "millrace-agent.service")
        #expect(OwnUnit.name(cgroups: "0::/user.slice/user-0.slice/session-3.scope\n") == nil)
        #expect(OwnUnit.name(cgroups: "9:name=systemd:/system.slice/a.service\n2:cpu:/b.service\n") == "a.service")
        #expect(OwnUnit.name(environment: [:]) == nil, "not started by a service manager")
        #expect(OwnUnit.cgroups(PosixFileSystem())?.contains(":/") == true, "the kernel's own file is read")
    }
}

/// Work that runs until it is stopped, and counts.
private final class Runs: Sendable {
    struct State {
        var begun: [String] = []
        var ended: [String] = []
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isStopped = false
    }
    let state = Mutex(State())

    func work(_ name: String) -> ReloadableService.Work {
        ReloadableService.Work(
            run: { [self] in
                state.withLock { $0.begun.append(name) }
                await withCheckedContinuation { continuation in
                    state.withLock { $0.waiting.append(continuation) }
                }
                state.withLock { $0.ended.append(name) }
            },
            stop: { [self] in
                let waiting = state.withLock { state in
                    defer { state.waiting = [] }
                    return state.waiting
                }
                for continuation in waiting { continuation.resume() }
            })
    }

    var begun: [String] { state.withLock { $0.begun } }
    var ended: [String] { state.withLock { $0.ended } }

    func wait(until condition: @Sendable (State) -> Bool) async throws {
        while !state.withLock({ condition($0) }) { try await Task.sleep(for: .milliseconds(2)) }
    }
}

@Suite struct AReload {
    struct Wrong: Error {}

    @Test func beginsAgainWithWhatWasReadAndKeepsGoingWhereItIsWrong() async throws {
        let runs = Runs()
        let readings = Mutex(["wrong", "second"])
        let notifier = ServiceNotifier(manager: ServiceManager(environment: [:]), health: Health(), telemetry: .silent)
        let service = ReloadableService(first: runs.work("first"), notifier: notifier, telemetry: .silent) {
            let name = readings.withLock { $0.removeFirst() }
            if name == "wrong" { throw Wrong() }
            return runs.work(name)
        }
        let group = ServiceGroup(services: [service], logger: Telemetry.silent.logger)
        let running = Task { try await group.run() }
        try await runs.wait { $0.waiting.count == 1 }

        await service.reload()
        #expect(runs.begun == ["first"] && runs.ended == [])
        await service.reload()
        try await runs.wait { $0.begun.count == 2 && $0.waiting.count == 1 }
        #expect(runs.begun == ["first", "second"] && runs.ended == ["first"])

        await group.triggerGracefulShutdown()
        try await running.value
        #expect(runs.ended == ["first", "second"])
    }
}
