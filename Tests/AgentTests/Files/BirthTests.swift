import Base
import Testing

@testable import Agent

/// Where the file system tells when a file was made, it is known what is a copy of what.
@Suite struct Births {
    private let log = "/log/app.log"

    private func rig() throws -> TailerRig {
        let rig = TailerRig()
        rig.disk.tellsBirth = true
        rig.disk.reusesInodes = true
        return rig
    }

    @Test func aFileThatWasRotatedWithinATickIsNoCopyOfTheNext() throws {
        let rig = try rig()
        // The next file gets a smaller inode than the one before it.
        _ = rig.disk.create("/log/other.txt")
        let first = rig.disk.create(log)
        rig.disk.append(Array("#fields\n".utf8), to: first)
        try rig.start()
        #expect(rig.read() == ["#fields"])
        let second = rig.disk.create("/log/second")
        rig.disk.unlink("/log/other.txt")
        rig.disk.rename(log, to: log + ".1")
        rig.disk.rename("/log/second", to: log)
        rig.disk.append(Array("#fields\n".utf8), to: second)
        rig.disk.rename(log + ".1", to: log + ".2")
        rig.disk.rename(log, to: log + ".1")
        let third = rig.disk.create(log)
        rig.disk.append(Array("#fields\n".utf8), to: third)
        #expect(third.inode < second.inode && third.born == second.born)
        rig.notifier.renamed(log)
        #expect(rig.read() == ["#fields", "#fields"])
        rig.write("3\n")
        #expect(rig.read(for: .seconds(30)) == ["3"])
    }

    @Test func aCopyInTheMakingIsKnownAtTheFirstLook() throws {
        let rig = try rig()
        rig.write("1\n")
        rig.copy(log, to: log + ".1")
        rig.write("2\n")
        try rig.start()
        #expect(rig.read() == ["1", "2"])
        rig.write("2\n", to: log + ".1")
        rig.cut(log)
        #expect(rig.read() == [])
        rig.write("3\n")
        #expect(rig.read(for: .seconds(30)) == ["3"])
        #expect(rig.gaps == 0)
    }
}

/// Names tell what is made from what, too.
@Suite struct CompressedNames {
    @Test func aFileWithADateIsNotMadeFromOneWithAnother() throws {
        let rig = TailerRig()
        let log = "/log/app.log"
        try rig.start()
        _ = rig.disk.create(log)
        rig.disk.rename(log, to: log + "-20260101")
        _ = rig.disk.create(log)
        rig.notifier.renamed(log)
        rig.notifier.renamed(log + "-20260101")
        #expect(rig.read() == [])
        rig.kill()
        // Both are empty and have the same time, so the compressed one could be made from either.
        rig.compress(log + "-20260101")
        rig.disk.rename(log, to: log + "-20260102")
        rig.write("1\n")
        try rig.start()
        #expect(rig.read(for: .seconds(30)) == ["1"])
        #expect(rig.gaps == 0)
    }
}
