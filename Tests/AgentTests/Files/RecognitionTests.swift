import Base
import Testing

@testable import Agent

/// Files that look like others: where too little is known of one to tell it by its content, or its inode was given away.
@Suite struct Recognition {
    private let log = "/log/app.log"

    /// `padding`: where more was read before, the first bytes and the next are read one after the other.
    @Test(arguments: [0, 100]) func aCutBetweenAnyTwoCallsIsNotReadAgain(padding: Int) throws {
        let one = String(repeating: "1", count: 1 + padding)
        let four = String(repeating: "4", count: 1 + padding)
        for count in 0..<60 {
            let rig = TailerRig()
            try rig.start()
            rig.write(one + "\n")
            #expect(rig.read() == [one])
            rig.write("2\n3\n")
            rig.copy(log, to: log + ".1")
            var left = count
            var isCut = false
            func cut() {
                isCut = true
                rig.cut(log)
                rig.write(four + "\n")
            }
            rig.disk.onCall = {
                left -= 1
                if left < 0, !isCut { cut() }
            }
            let first = rig.read()
            if !isCut { cut() }
            #expect(first + rig.read(for: .seconds(30)) == ["2", "3", four], "cut before call \(count)")
            #expect(rig.gaps == 0)
        }
    }

    /// `made`: so much of the copy stands when the look begins. It may be found before its original, or after it.
    @Test(arguments: [(0, 0), (0, 2), (100, 0), (100, 150), (1100, 0), (1100, 2000)], [false, true])
    func aCopyThatIsFinishedBetweenAnyTwoCallsIsNotReadAgain(sizes: (padding: Int, made: Int), isFirst: Bool) throws {
        let (padding, made) = sizes
        let lines = (1...3).map { String($0) + String(repeating: "x", count: padding) }
        for count in 0..<60 {
            let rig = TailerRig()
            if isFirst { rig.disk.listingOrder = (>) }
            try rig.start()
            rig.write(lines.map { $0 + "\n" }.joined())
            #expect(rig.read() == lines)
            rig.pass(.milliseconds(5))
            let bytes = rig.disk.node(log)!.bytes
            let copy = rig.disk.create(log + ".1")
            rig.disk.append(Array(bytes.prefix(made)), to: copy)
            rig.notifier.renamed(log + ".1")
            var left = count
            var isCut = false
            func finishAndCut() {
                isCut = true
                rig.disk.append(Array(bytes.dropFirst(made)), to: copy)
                rig.cut(log)
            }
            rig.disk.onCall = {
                left -= 1
                if left < 0, !isCut { finishAndCut() }
            }
            let first = rig.read()
            if !isCut { finishAndCut() }
            rig.write("4\n")
            #expect(first + rig.read(for: .seconds(30)) == ["4"], "finished before call \(count)")
            #expect(rig.gaps == 0)
        }
    }

    /// Names may be looked at in any order: both may have been found gone, and stand there again when the look ends.
    @Test(arguments: [false, true]) func aRotationBetweenAnyTwoCallsIsNotReadAgain(isBackwards: Bool) throws {
        for count in 0..<60 {
            for gap in 0..<8 {
                let rig = TailerRig()
                if isBackwards { rig.disk.listingOrder = (>) }
                rig.disk.reusesInodes = true
                rig.disk.tellsBirth = true
                rig.settings.idleClose = .seconds(1)
                try rig.start()
                rig.write("1\n")
                #expect(rig.read() == ["1"])
                rig.rename(log, to: log + ".1")
                rig.write("2\n")
                #expect(rig.read(for: .seconds(30)) == ["2"])
                let original = rig.disk.node(log + ".1")!
                let copy = rig.disk.create(log + ".2.gz")
                rig.disk.append(Gzip.compress(original.bytes), to: copy)
                rig.disk.setModified(original.modified, of: copy)
                rig.notifier.renamed(log + ".2.gz")
                var steps = [
                    { rig.remove(log + ".1") }, { rig.rename(log, to: log + ".1") }, { _ = rig.write("3\n") },
                ]
                var left = count
                rig.disk.onCall = {
                    left -= 1
                    if left < 0, !steps.isEmpty {
                        steps.removeFirst()()
                        left = gap
                    }
                }
                let first = rig.read()
                while !steps.isEmpty { steps.removeFirst()() }
                #expect(first + rig.read(for: .seconds(30)) == ["3"], "before call \(count), then each \(gap)")
                #expect(rig.gaps == 0)
            }
        }
    }

    @Test(arguments: [false, true])
    func aFileThatVanishedWhileTheAgentWasAwayIsToldOfThoughItsInodeWasGivenAway(tellsBirth: Bool) throws {
        let rig = TailerRig()
        rig.disk.reusesInodes = true
        rig.disk.tellsBirth = tellsBirth
        try rig.start()
        let old = rig.write("1\n")
        #expect(rig.read() == ["1"])
        rig.kill()
        rig.write("lost\n")
        rig.remove(log)
        let new = rig.write("2\n")
        #expect(new.inode == old.inode)
        try rig.start()
        #expect(rig.read(for: .seconds(30)) == ["2"])
        #expect(rig.gaps == 1)
    }

    /// The inodes of two files that were empty when they were known are those of the two that came after.
    @Test func emptyFilesWithDatesWhoseInodesWereGivenAwayAreFoundCompressed() throws {
        let rig = TailerRig()
        rig.disk.reusesInodes = true
        try rig.start()
        rig.write("")
        rig.rename(log, to: log + "-20260101")
        rig.write("")
        #expect(rig.read() == [])
        rig.kill()
        rig.write("2\n")
        rig.compress(log + "-20260101")
        rig.rename(log, to: log + "-20260102")
        rig.write("3\n")
        rig.compress(log + "-20260102")
        rig.rename(log, to: log + "-20260103")
        rig.write("4\n")
        try rig.start()
        #expect(rig.read(for: .seconds(30)) == ["2", "3", "4"])
    }

    @Test func aCompressedFileThatHadNoByteYetIsNotTakenForTheCopyItIsMadeFrom() throws {
        for count in 0..<40 {
            let rig = TailerRig()
            rig.disk.reusesInodes = true
            _ = rig.disk.create("/log/other.txt")
            rig.write("1\n2\n")
            try rig.start()
            #expect(rig.read() == ["1", "2"])
            rig.copy(log, to: log + ".1")
            rig.remove("/log/other.txt")
            // It has a smaller inode than the copy.
            let compressed = rig.disk.create(log + ".2.gz")
            rig.cut(log)
            rig.write("3\n")
            rig.notifier.renamed(log + ".2.gz")
            let copy = rig.disk.node(log + ".1")!
            var left = count
            rig.disk.onCall = {
                left -= 1
                if left == -1 { rig.disk.append(Gzip.compress(copy.bytes), to: compressed) }
            }
            #expect(rig.read() == ["3"], "written before call \(count)")
            rig.disk.onCall = nil
            if left >= 0 { rig.disk.append(Gzip.compress(copy.bytes), to: compressed) }
            rig.disk.setModified(copy.modified, of: compressed)
            rig.notifier.written(log + ".2.gz")
            rig.remove(log + ".1")
            #expect(rig.read(for: .seconds(30)) == [])
            #expect(rig.gaps == 0)
        }
    }

    @Test func aFileThatWasCutWhileTheAgentWasAwayIsToldOf() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("1\n")
        #expect(rig.read() == ["1"])
        rig.kill()
        rig.write("lost\n")
        rig.cut(log)
        rig.write("2\n")
        try rig.start()
        #expect(rig.read(for: .seconds(30)) == ["2"])
        #expect(rig.gaps == 1)
    }

    @Test func theInodeOfAnEmptyFileMayBeGivenToTheCompressedOneOfAnother() throws {
        let rig = TailerRig()
        rig.disk.reusesInodes = true
        try rig.start()
        rig.write("")
        #expect(rig.read() == [])
        rig.rename(log, to: log + ".1")
        rig.write("1\n")
        #expect(rig.read() == ["1"])
        rig.kill()
        rig.compress(log + ".1")
        rig.rename(log + ".1.gz", to: log + ".2.gz")
        rig.rename(log, to: log + ".1")
        rig.compress(log + ".1")
        rig.write("2\n")
        try rig.start()
        #expect(rig.read(for: .seconds(30)) == ["2"])
        #expect(rig.gaps == 0)
    }

    @Test func aCompressedFileThatVanishedUnreadIsNotTakenForTheOneThatGotItsInode() throws {
        let rig = TailerRig()
        rig.disk.reusesInodes = true
        try rig.start()
        #expect(rig.read() == [])
        rig.kill()
        rig.write("lost\n")
        rig.rename(log, to: log + ".1")
        rig.compress(log + ".1")
        try rig.start()
        rig.lookOnly()
        rig.kill()
        rig.write("2\n")
        rig.rename(log, to: log + ".1")
        rig.remove(log + ".1.gz")
        rig.compress(log + ".1")
        rig.write("3\n")
        try rig.start()
        #expect(rig.read() == ["2", "3"])
    }

    @Test func theInodeOfACompressedFileMayBeGivenToOneThatBeginsAlike() throws {
        let rig = TailerRig()
        rig.disk.reusesInodes = true
        try rig.start()
        rig.write("#fields\n")
        #expect(rig.read() == ["#fields"])
        rig.rename(log, to: log + ".1")
        rig.write("#fields\n2\n")
        #expect(rig.read() == ["#fields", "2"])
        rig.compress(log + ".1")
        #expect(rig.read(for: .seconds(30)) == [])
        rig.kill()
        rig.remove(log + ".1.gz")
        rig.remove(log)
        rig.write("#fields\n3\n")
        rig.rename(log, to: log + ".1")
        // This one gets the inode of the compressed file.
        rig.write("#fields\n4\n")
        rig.rename(log + ".1", to: log + ".2")
        rig.rename(log, to: log + ".1")
        rig.write("#fields\n5\n")
        try rig.start()
        #expect(rig.read() == ["3", "4", "5"].flatMap { ["#fields", $0] })
    }

    @Test func theInodeOfAnEmptyFileThatWasDoneMayBeGivenToAYoungerOne() throws {
        let rig = TailerRig()
        rig.disk.reusesInodes = true
        rig.write("", to: log + ".1")
        rig.write("1\n")
        try rig.start()
        #expect(rig.read() == ["1"])
        rig.kill()
        rig.remove(log)
        rig.write("2\n")
        rig.remove(log + ".1")
        rig.rename(log, to: log + ".1")
        // This one gets the inode of the empty file.
        rig.write("3\n")
        rig.rename(log + ".1", to: log + ".2")
        rig.rename(log, to: log + ".1")
        rig.write("4\n")
        try rig.start()
        #expect(rig.read() == ["2", "3", "4"])
    }

    @Test func theInodeOfAnEmptyFileThatIsGoneMayBeGivenToTheOneAfterTheNext() throws {
        let rig = TailerRig()
        rig.disk.reusesInodes = true
        try rig.start()
        rig.write("")
        #expect(rig.read() == [])
        rig.kill()
        // The file that is known and empty is gone; the next is written to although the one after it has its inode.
        let second = rig.disk.create("/log/second")
        rig.remove(log)
        rig.rename("/log/second", to: log)
        rig.write("2\n", into: second, log)
        rig.rename(log, to: log + ".1")
        rig.write("")
        rig.write("3\n", into: second, log + ".1")
        try rig.start()
        #expect(rig.read() == ["2", "3"])
    }

    @Test func aFileThatHoldsOnlyPartOfALineIsNotTakenForAnOlderOne() throws {
        let rig = TailerRig()
        rig.settings.rememberedMax = 0
        try rig.start()
        let old = rig.write("1\n")
        #expect(rig.read() == ["1"])
        rig.rename(log, to: log + ".1")
        rig.write("")
        #expect(rig.read() == [])
        rig.write("part")
        #expect(rig.read() == [])
        rig.write("2\n", into: old, log + ".1")
        #expect(rig.read() == ["2"])
        rig.compress(log + ".1")
        #expect(rig.read(for: .seconds(30)) == [])
        rig.kill()
        rig.rename(log + ".1.gz", to: log + ".2.gz")
        rig.rename(log, to: log + ".1")
        rig.write("3\n")
        try rig.start()
        #expect(rig.read() == ["3"])
    }

    @Test func whatComesLateIntoAnEmptyRotatedFileIsRead() throws {
        let rig = TailerRig()
        rig.disk.reusesInodes = true
        try rig.start()
        #expect(rig.read() == [])
        rig.kill()
        _ = rig.disk.create("/log/other.txt")
        let empty = rig.write("")
        // The file after it gets a smaller inode than it has, as if the empty one were a copy in the making.
        rig.remove("/log/other.txt")
        rig.rename(log, to: log + ".1")
        rig.write("1\n")
        rig.rename(log + ".1", to: log + ".2")
        rig.rename(log, to: log + ".1")
        rig.write("2\n")
        try rig.start()
        #expect(rig.read() == ["1", "2"])
        rig.write("late\n", into: empty, log + ".2")
        #expect(rig.read() == ["late"])
    }

    @Test func aFileThatWasReadIsNotTakenForAYoungerOneThatBeginsAlike() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("#fields\n")
        #expect(rig.read() == ["#fields"])
        rig.rename(log, to: log + ".1")
        rig.write("#fields\n1\n")
        #expect(rig.read() == ["#fields", "1"])
        rig.compress(log + ".1")
        #expect(rig.read(for: .seconds(30)) == [])
        rig.write("2\n")
        #expect(rig.read() == ["2"])
        rig.remove(log + ".1.gz")
        let open = rig.disk.node(log)!
        rig.write("3\n", into: open, log)
        rig.remove(log)
        rig.write("#fields\n4\n")
        rig.rename(log, to: log + ".1")
        #expect(rig.read() == ["3", "#fields", "4"])
    }

    @Test func aFileOfNothingButAHeaderIsFoundCompressedThoughItsInodeHoldsOneThatBeginsAlike() throws {
        let rig = TailerRig()
        rig.disk.reusesInodes = true
        try rig.start()
        rig.write("#fields\n")
        #expect(rig.read() == ["#fields"])
        rig.kill()
        rig.rename(log, to: log + ".1")
        rig.write("#fields\n2\n")
        rig.compress(log + ".1")
        rig.rename(log + ".1.gz", to: log + ".2.gz")
        rig.rename(log, to: log + ".1")
        // This one gets the inode of the first.
        rig.write("#fields\n3\n")
        rig.compress(log + ".1")
        rig.rename(log + ".2.gz", to: log + ".3.gz")
        rig.rename(log + ".1.gz", to: log + ".2.gz")
        rig.rename(log, to: log + ".1")
        rig.write("#fields\n4\n")
        try rig.start()
        #expect(rig.read() == ["2", "3", "4"].flatMap { ["#fields", $0] })
        #expect(rig.gaps == 0)
    }

    @Test func aCompressedFileIsNotTakenForAYoungerOneThatBeginsAlike() throws {
        let rig = TailerRig()
        try rig.start()
        rig.write("#fields\n")
        #expect(rig.read() == ["#fields"])
        rig.rename(log, to: log + ".1")
        rig.compress(log + ".1")
        #expect(rig.read(for: .seconds(30)) == [])
        rig.kill()
        rig.remove(log + ".1.gz")
        rig.write("#fields\n2\n")
        rig.rename(log, to: log + ".2")
        rig.write("#fields\n")
        rig.rename(log, to: log + ".1")
        rig.compress(log + ".1")
        rig.write("#fields\n4\n")
        try rig.start()
        #expect(rig.read() == ["#fields", "2", "#fields", "#fields", "4"])
    }

    @Test func whatIsWrittenToAfterwardsIsNoCopyOfAFileThatVanishedUnread() throws {
        let rig = TailerRig()
        rig.settings.descriptorsMax = 0
        try rig.start()
        rig.write("")
        #expect(rig.read() == [])
        rig.write("lost\n")
        // Nothing can be taken now, nor held open.
        _ = rig.tailer.attend(now: rig.time.now)
        rig.remove(log)
        rig.write("1\n")
        #expect(rig.read() == ["1"])
        #expect(rig.gaps == 1)
    }
}
