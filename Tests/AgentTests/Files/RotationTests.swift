import Base
import Testing

@testable import Agent

@Suite struct Rotations {
    private let log = "/log/app.log"

    @Test func aRenamedFileIsReadOnWhileOthersStillFlushIntoIt() throws {
        let rig = TailerRig()
        try rig.start()
        let old = rig.write("1\n2\n")
        #expect(rig.read() == ["1", "2"])
        rig.rename(log, to: log + ".1")
        rig.write("4\n")
        rig.write("3\n", into: old, log + ".1")
        // nginx reopens in the master first; a worker's last lines come into the old file, and stand before the new one's.
        #expect(rig.read() == ["3", "4"])
        rig.write("5\n", into: old, log + ".1")
        #expect(rig.read() == ["5"])
        #expect(rig.events.isEmpty)
    }

    @Test func filesThatRotatedWhileTheAgentWasAwayComeOldestFirst() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("1\n")
        #expect(rig.read() == ["1"])
        rig.kill()
        rig.write("2\n")
        rig.rename(log, to: log + ".1")
        rig.write("3\n")
        rig.rename(log + ".1", to: log + ".2")
        rig.rename(log, to: log + ".1")
        rig.write("4\n")
        try rig.start()
        #expect(rig.read() == ["2", "3", "4"])
        #expect(rig.events.isEmpty)
    }

    @Test func filesWithDatesComeOldestFirst() throws {
        let rig = TailerRig()
        rig.input.paths = ["/log/app.log"]
        try rig.start()
        rig.write("1\n")
        #expect(rig.read() == ["1"])
        rig.kill()
        rig.rename(log, to: "/log/app-20260101.log")
        rig.write("2\n")
        rig.rename(log, to: log + "-20260102")
        rig.write("3\n")
        try rig.start()
        #expect(rig.read() == ["2", "3"])
    }

    @Test func aFileCompressedWhileTheAgentWasAwayIsFinishedInsideTheCopy() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("1\n2\n")
        #expect(rig.read() == ["1", "2"])
        rig.kill()
        rig.write("3\n")
        rig.rename(log, to: log + ".1")
        rig.compress(log + ".1", to: log + ".2.gz")
        rig.write("4\n")
        try rig.start()
        #expect(rig.read() == ["3", "4"])
        #expect(rig.gaps == 0)
    }

    @Test(arguments: [false, true]) func aFileThatWasReadIsNotReadAgainWhenItIsCompressed(isAway: Bool) throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("#fields\n1\n")
        #expect(rig.read() == ["#fields", "1"])
        rig.rename(log, to: log + ".1")
        rig.write("#fields\n2\n")
        #expect(rig.read(for: .seconds(30)) == ["#fields", "2"])
        if isAway { rig.kill() }
        rig.compress(log + ".1", to: log + ".2.gz")
        rig.rename(log, to: log + ".1")
        rig.write("#fields\n3\n")
        if isAway { try rig.start() }
        #expect(rig.read(for: .seconds(30)) == ["#fields", "3"])
        try rig.restart()
        #expect(rig.read(for: .seconds(30)) == [])
        #expect(rig.gaps == 0)
    }

    @Test func whatIsBeingCompressedIsNotReadTwice() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("1\n")
        #expect(rig.read() == ["1"])
        rig.kill()
        rig.rename(log, to: log + ".1")
        rig.write("2\n")
        rig.rename(log + ".1", to: log + ".2")
        rig.rename(log, to: log + ".1")
        // gzip is at work on `.1`, which the agent never saw, when it starts.
        let made = rig.disk.create(log + ".1.gz")
        let bytes = Gzip.compress(rig.disk.node(log + ".1")!.bytes)
        rig.pass(.milliseconds(20))
        rig.disk.append(Array(bytes.prefix(bytes.count / 2)), to: made)
        rig.write("3\n")
        try rig.start()
        #expect(rig.read() == ["2", "3"])
        rig.disk.append(Array(bytes.dropFirst(bytes.count / 2)), to: made)
        rig.remove(log + ".1")
        #expect(rig.read(for: .seconds(30)) == [])
        try rig.restart()
        #expect(rig.read(for: .seconds(30)) == [])
    }

    @Test(arguments: [false, true]) func aCopyThatIsThenCutIsNotReadAgain(isAway: Bool) throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("1\n2\n")
        #expect(rig.read() == ["1", "2"])
        if isAway { rig.kill() }
        rig.copy(log, to: log + ".1")
        if !isAway { #expect(rig.read() == []) }
        rig.cut(log)
        rig.write("3\n")
        if isAway { try rig.start() }
        #expect(rig.read(for: .seconds(30)) == ["3"])
        try rig.restart()
        #expect(rig.read(for: .seconds(30)) == [])
        #expect(rig.gaps == 0)
    }

    @Test(arguments: [false, true]) func whatWasNotReadBeforeTheCutIsReadFromTheCopy(wasEmptyWhenFound: Bool) throws {
        let rig = TailerRig()
        try rig.start()
        rig.write(wasEmptyWhenFound ? "" : "1\n")
        #expect(rig.read() == (wasEmptyWhenFound ? [] : ["1"]))
        rig.write("2\n")
        rig.copy(log, to: log + ".1")
        rig.cut(log)
        rig.write("3\n4\n5\n")
        #expect(rig.read() == ["2", "3", "4", "5"])
        #expect(rig.gaps == 0)
    }

    @Test func aFileRotatedAwayBeforeItsFirstReadIsFoundAgain() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("", to: log)
        #expect(rig.read() == [])
        rig.kill()
        rig.write("1\n")
        rig.rename(log, to: log + ".1")
        rig.write("2\n")
        try rig.start()
        #expect(rig.read() == ["1", "2"])
    }

    @Test func aSourceThatCameAndRotatedWhileTheAgentWasAwayIsReadFromItsFirstFile() throws {
        let rig = TailerRig()
        try rig.start()
        #expect(rig.read() == [])
        rig.kill()
        rig.write("1\n")
        rig.rename(log, to: log + ".1")
        rig.write("2\n")
        try rig.start()
        #expect(rig.read() == ["1", "2"])
    }

    @Test func whatWasRotatedBeforeTheAgentFirstRanIsLeftAlone() throws {
        let rig = TailerRig()
        rig.write("old\n", to: log + ".1")
        rig.write("1\n")
        try rig.start()
        #expect(rig.read() == ["1"])
        rig.compress(log + ".1", to: log + ".2.gz")
        rig.rename(log, to: log + ".1")
        rig.write("2\n")
        try rig.restart()
        #expect(rig.read(for: .seconds(30)) == ["2"])
    }

    @Test func filesThatBeginAlikeAreToldApart() throws {
        let rig = TailerRig()
        rig.disk.reusesInodes = true
        try rig.start()
        rig.write("#fields\n")
        #expect(rig.read() == ["#fields"])
        rig.kill()
        rig.write("1\n")
        rig.rename(log, to: log + ".1")
        rig.compress(log + ".1")
        // This one gets the inode of the first.
        rig.write("#fields\n2\n")
        try rig.start()
        #expect(rig.read() == ["1", "#fields", "2"])
        #expect(rig.gaps == 0)
    }

    @Test func aFileDeletedWhileItIsOpenIsReadToItsEnd() throws {
        let rig = TailerRig()
        try rig.start()
        let node = rig.write("1\n")
        #expect(rig.read() == ["1"])
        node.writers += 1
        rig.write("2\n")
        rig.remove(log)
        rig.write("3\n", into: node, log)
        rig.write("4\n")
        #expect(rig.read(for: .seconds(30)) == ["2", "3", "4"])
        #expect(rig.gaps == 0)
    }

    @Test func aFileCutBeforeItWasReadIsTold() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("1\n")
        #expect(rig.read() == ["1"])
        rig.cut(log)
        rig.write("2\n")
        #expect(rig.read() == ["2"])
        #expect(rig.events == [.truncated(SourceKey("h" + log))])
    }

    @Test func aFileRemovedWhileTheAgentWasAwayIsTold() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("1\n")
        #expect(rig.read() == ["1"])
        rig.kill()
        rig.write("lost\n")
        rig.remove(log)
        rig.write("2\n")
        try rig.start()
        #expect(rig.read() == ["2"])
        #expect(rig.gaps == 1)
    }

    @Test func aLinkThatLeadsElsewhereIsFollowedAfterItsOldFileIsRead() throws {
        let rig = TailerRig()
        rig.disk.makeFolder("/data")
        rig.disk.link(log, to: "/data/1")
        let first = rig.disk.create("/data/1")
        try rig.start()
        rig.write("1\n", into: first, "/data/1")
        #expect(rig.read() == ["1"])
        rig.write("2\n", into: first, "/data/1")
        let second = rig.disk.create("/data/2")
        rig.disk.link(log, to: "/data/2")
        rig.notifier.renamed(log)
        rig.write("3\n", into: second, "/data/2")
        #expect(rig.read() == ["2", "3"])
    }

    /// Looks come once a second, and meanwhile three files come and go; the one that was open is not what was compressed.
    @Test func whatIsStillOpenIsNotTakenForACompressedFileThatBeginsAlike() throws {
        let rig = TailerRig()
        rig.isBlind = true
        rig.settings.pollInterval = .seconds(1)
        try rig.start()
        rig.write("#fields\n")
        #expect(rig.read(for: .seconds(2)) == ["#fields"])
        let node = rig.disk.node(log)!
        rig.write("late\n", into: node, log)
        rig.disk.unlink(log)
        rig.write("#fields\n1\n")
        rig.rename(log, to: log + ".1")
        rig.compress(log + ".1", to: log + ".2.gz")
        rig.write("#fields\n2\n")
        #expect(rig.read(for: .seconds(30)) == ["late", "#fields", "1", "#fields", "2"])
        #expect(rig.gaps == 0)
    }

    /// A date stays in a file's name: the file that had another is gone, and what stands there is new.
    @Test func aFileWithALaterDateIsNotTakenForOneThatVanished() throws {
        let rig = TailerRig()
        rig.isBlind = true
        rig.settings.pollInterval = .seconds(1)
        rig.settings.descriptorsMax = 0
        try rig.start()
        rig.write("#fields\n")
        #expect(rig.read(for: .seconds(2)) == ["#fields"])
        rig.rename(log, to: log + "-20260101")
        rig.write("#fields\n1\n")
        #expect(rig.read(for: .seconds(2)) == ["#fields", "1"])
        rig.disk.unlink(log + "-20260101")
        rig.rename(log, to: log + "-20260102")
        rig.write("#fields\n2\n")
        rig.rename(log, to: log + "-20260103")
        rig.write("#fields\n3\n")
        rig.rename(log, to: log + "-20260104")
        rig.compress(log + "-20260104")
        rig.write("#fields\n4\n")
        #expect(rig.read(for: .seconds(30)) == ["#fields", "2", "#fields", "3", "#fields", "4"])
    }

    @Test func aLinksNewTargetIsWatchedThoughItGotTheInodeOfTheOld() throws {
        let rig = TailerRig()
        rig.disk.makeFolder("/data")
        rig.disk.reusesInodes = true
        rig.settings.reconcileInterval = .seconds(600)
        let old = rig.disk.create("/data/one")
        rig.disk.link(log, to: "/data/one")
        try rig.start()
        #expect(rig.read() == [])
        rig.disk.unlink("/data/one")
        let new = rig.disk.create("/data/two")
        #expect(new.inode == old.inode)
        rig.disk.link(log, to: "/data/two")
        rig.notifier.renamed(log)
        #expect(rig.read() == [])
        rig.write("1\n", into: new, "/data/two")
        #expect(rig.read(for: .seconds(5)) == ["1"])
    }

    @Test func whatIsWrittenToALinksTargetBeforeItIsWatchedIsRead() throws {
        for count in 0..<30 {
            let rig = TailerRig()
            rig.disk.makeFolder("/data")
            rig.settings.reconcileInterval = .seconds(600)
            try rig.start()
            #expect(rig.read() == [])
            let node = rig.disk.create("/data/target")
            rig.disk.link(log, to: "/data/target")
            rig.notifier.renamed(log)
            var left = count
            rig.disk.onCall = {
                left -= 1
                if left == -1 {
                    rig.disk.append(Array("1\n".utf8), to: node)
                    rig.notifier.written("/data/target")
                }
            }
            let first = rig.read()
            rig.disk.onCall = nil
            if left >= 0 { rig.write("1\n", into: node, "/data/target") }
            #expect(first + rig.read(for: .seconds(5)) == ["1"], "written before call \(count)")
        }
    }
}
