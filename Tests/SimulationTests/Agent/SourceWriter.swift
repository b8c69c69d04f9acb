import Base
import SystemPackage
import TestKit

/// The programs of a host that write log files: numbered lines, and now and then a rotation. What they write is on disk at once.
final class SourceWriter {
    static let folder = FilePath("/log")
    /// Enough rotated files that none is deleted unread.
    private static let rotationsKept = 30

    private let world: World
    private let host: AgentHost
    private let number: Int
    private let paddingMax: Int
    private var count = 0
    private(set) var linesLeft: Int

    init(_ world: World, _ host: AgentHost, number: Int, lines: Int, paddingMax: Int) {
        self.world = world
        self.host = host
        self.number = number
        self.paddingMax = paddingMax
        linesLeft = lines
    }

    private var path: FilePath { Self.folder.appending("s\(number).log") }

    func start() { world.after(pause) { [self] in write() } }

    private var pause: Duration {
        world.oneIn(10)
            ? world.duration(.seconds(1)...(.seconds(8))) : world.duration(.milliseconds(1)...(.milliseconds(700)))
    }

    private func write() {
        guard linesLeft > 0 else { return }
        host.undisturbed { disk in
            do {
                // Before its first look the agent can't know that a rotated file is not from before its time.
                if world.oneIn(12), host.knows(path) { try rotate(disk) }
                try append(disk, lines: min(linesLeft, world.integer(1...(world.oneIn(8) ? 30 : 4))))
                host.told { $0.written("s\(number).log", in: Self.folder.string) }
            } catch { world.violated("the simulated source can't write: \(error)") }
        }
        world.after(pause) { [self] in write() }
    }

    private func append(_ disk: SimulatedFileSystem, lines: Int) throws {
        var text = ""
        for _ in 0..<lines {
            let line =
                "\(host.name)/s\(number)#\(count) " + String(repeating: "x", count: world.integer(0...paddingMax))
            host.ledger.wrote(line)
            text += line + "\n"
            count += 1
        }
        linesLeft -= lines
        if try !disk.exists(Self.folder) {
            try disk.createDirectory(Self.folder)
            try disk.syncDirectory("/")
            host.told { $0.renamed("log", in: "/", isFolder: true) }
        }
        if try !disk.exists(path) { host.told { $0.renamed("s\(number).log", in: Self.folder.string) } }
        let file = try disk.open(path, .create)
        let end = try file.status().size
        try Array(text.utf8).withUnsafeBytes { try file.write($0, at: end) }
        try file.sync()
        try disk.syncDirectory(Self.folder)
    }

    private func rotate(_ disk: SimulatedFileSystem) throws {
        guard try disk.exists(path) else { return }
        for age in (1..<Self.rotationsKept).reversed() {
            let old = FilePath(path.string + ".\(age)")
            if try disk.exists(old) {
                try disk.rename(old, to: FilePath(path.string + ".\(age + 1)"))
                host.told { $0.renamed("s\(number).log.\(age + 1)", in: Self.folder.string) }
            }
        }
        try disk.rename(path, to: FilePath(path.string + ".1"))
        host.told { $0.renamed("s\(number).log", in: Self.folder.string) }
        host.told { $0.renamed("s\(number).log.1", in: Self.folder.string) }
        try disk.syncDirectory(Self.folder)
    }
}
