import Base
import TestKit

/// Rotates one source's log as its traits say: step by step, so that the agent may look, or die, between any two steps.
final class LogRotator {
    private struct Rotated {
        var path: String
        var node: LogDisk.Node
        var generation: SourceTruth.Generation
        var isCompressed = false
    }

    private unowned let writer: LogWriter
    /// The youngest first.
    private var rotated: [Rotated] = []
    private var date = 0
    private var targets = 0
    private var queue: [() -> Void] = []
    private(set) var isBusy = false
    /// The program may make its file although a rotation is under way.
    private(set) var mayReopen = false
    private(set) var isCopying = false
    private var target: String?

    init(_ writer: LogWriter) { self.writer = writer }

    private var history: FileHistory { writer.history }
    private var disk: LogDisk { history.disk }
    private var traits: HistoryTraits.Source { writer.traits }

    /// Names that lead to a file of the source.
    func paths(of node: LogDisk.Node) -> [String] {
        var paths = rotated.filter { $0.node === node }.map(\.path)
        if disk.node(writer.path) === node { paths.append(target ?? writer.path) }
        return paths
    }

    func rotate() {
        guard !isBusy, let node = writer.node else { return }
        switch traits.rotation {
        case .none: break
        case .index, .date: rename(node)
        case .copyTruncate: copyAndCut(node)
        case .truncate, .reopenTruncated: cut(node)
        case .recreate: recreate(node)
        case .symlink: swap()
        }
    }

    // MARK: - Steps

    /// One after the other, with a little time between them.
    private func run(_ steps: [() -> Void]) {
        isBusy = true
        queue = steps
        next()
    }

    private func next() {
        guard !queue.isEmpty else {
            isBusy = false
            mayReopen = false
            return
        }
        let pause = writer.oneIn(6) ? writer.integer(10...120) : writer.integer(0...2)
        history.after(.milliseconds(pause), isOutside: true) { [self] in
            queue.removeFirst()()
            next()
        }
    }

    private func move(_ index: Int, to path: String) {
        guard rotated.indices.contains(index), rotated[index].path != path else { return }
        let old = rotated[index].path
        history.note("rename \(old) to \(path)")
        disk.rename(old, to: path)
        rotated[index].path = path
        history.told { $0.renamed(old) }
        history.told { $0.renamed(path) }
    }

    private func name(_ index: Int, compressed: Bool) -> String {
        "\(writer.path).\(index)" + (compressed ? ".gz" : "")
    }

    private func newName() -> String {
        guard isDated else { return name(1, compressed: false) }
        date += 1
        let digits = String(20_260_000 + date)
        return traits.dateBeforeExtension ? "/log/s\(writer.number)-\(digits).log" : "\(writer.path)-\(digits)"
    }

    private var isDated: Bool { traits.rotation == .date }

    /// The steps that make room for another rotated file.
    private func makeRoom() -> [() -> Void] {
        var steps: [() -> Void] = []
        let isDirect = traits.compression == .delayedToNextName && !isDated
        if traits.compression == .delayed || (traits.compression == .delayedToNextName && isDated) {
            steps.append { [self] in compressYoungest() }
        }
        steps.append { [self] in
            while rotated.count >= traits.kept, let last = rotated.last, !writer.hasPending(in: last.node) {
                rotated.removeLast()
                remove(last)
            }
        }
        guard !isDated else { return steps }
        for index in (0..<rotated.count + 1).reversed() {
            if index == 0, isDirect { steps.append { [self] in compressYoungest() } }
            steps.append { [self] in
                guard rotated.indices.contains(index) else { return }
                move(index, to: name(index + 2, compressed: rotated[index].isCompressed))
            }
        }
        return steps
    }

    private func remove(_ file: Rotated) {
        history.note("remove \(file.path)")
        let hadHandle = file.node.handles > 0
        disk.unlink(file.path)
        history.told { $0.renamed(file.path) }
        writer.destroyed(file.generation, in: file.node, isCut: false, hadHandle: hadHandle)
    }

    // MARK: - Rename and create

    private func rename(_ node: LogDisk.Node) {
        let generation = writer.generation
        var steps = makeRoom()
        steps.append { [self] in
            let path = newName()
            history.note("rename \(writer.path) to \(path)")
            disk.rename(writer.path, to: path)
            rotated.insert(Rotated(path: path, node: node, generation: generation), at: 0)
            generation.wasRenamed = true
            history.told { $0.renamed(writer.path) }
            history.told { $0.renamed(path) }
        }
        if writer.oneIn(2) { steps.append { [self] in writer.write(lines: 1, to: node, generation) } }
        steps.append { [self] in
            // Another worker still has the old file open, and flushes into it.
            if writer.oneIn(3) {
                node.writers += 1
                let linger = Int(history.traits.linger.milliseconds)
                history.after(.milliseconds(writer.integer(1...linger / 2)), isOutside: true) { [self] in
                    if canTouch(node) { writer.write(lines: writer.integer(1...2), to: node, generation) }
                    disk.closed(node)
                }
            }
            mayReopen = true
            writer.close()
            if !writer.oneIn(4) { writer.open() }
        }
        run(steps)
        if traits.compression == .immediate {
            history.after(history.traits.linger, isOutside: true) { [self] in
                if !isBusy { run([{ [self] in compressYoungest() }]) }
            }
        }
    }

    private func canTouch(_ node: LogDisk.Node) -> Bool {
        rotated.contains { $0.node === node && !$0.isCompressed } && !isCompressing(node)
    }

    private var compressing: LogDisk.Node?
    private func isCompressing(_ node: LogDisk.Node) -> Bool { compressing === node }

    /// At once, before the agent first ran.
    func rotateAtOnce() {
        guard let node = writer.node else { return }
        let generation = writer.generation
        if !isDated {
            for index in rotated.indices.reversed() {
                move(index, to: name(index + 2, compressed: rotated[index].isCompressed))
            }
        }
        let path = newName()
        disk.rename(writer.path, to: path)
        generation.wasRenamed = true
        rotated.insert(Rotated(path: path, node: node, generation: generation), at: 0)
        writer.close()
        writer.open()
    }

    // MARK: - Compression

    private func compressYoungest() {
        guard let file = rotated.first, !file.isCompressed, !writer.hasPending(in: file.node), compressing == nil,
            file.node.writers == 0
        else { return }
        let isShifted = traits.compression == .delayedToNextName && !isDated
        let path = isShifted ? name(2, compressed: true) : file.path + ".gz"
        guard disk.node(path) == nil else { return }
        compressing = file.node
        history.note("compress \(file.path) to \(path)")
        let made = disk.create(path)
        history.told { $0.renamed(path) }
        var left = Gzip.compress(file.node.bytes)
        let chunk = max(1, left.count / writer.integer(1...4))
        var steps: [() -> Void] = []
        for _ in 0...(left.count / chunk) {
            steps.append { [self] in
                disk.append(Array(left.prefix(chunk)), to: made)
                left.removeFirst(min(chunk, left.count))
                history.told { $0.written(path) }
            }
        }
        steps.append { [self] in disk.setModified(file.node.modified, of: made) }
        steps.append { [self] in
            guard let index = rotated.firstIndex(where: { $0.node === file.node }) else { return }
            history.note("remove \(rotated[index].path), compressed")
            disk.unlink(rotated[index].path)
            history.told { [old = rotated[index].path] in $0.renamed(old) }
            rotated[index] = Rotated(path: path, node: made, generation: file.generation, isCompressed: true)
            compressing = nil
        }
        // The rest of the rotation waits for it.
        queue.insert(contentsOf: steps, at: 0)
    }

    // MARK: - Copy and cut

    private func copyAndCut(_ node: LogDisk.Node) {
        guard !writer.hasPending(in: node), !node.bytes.isEmpty else { return }
        var copy: LogDisk.Node?
        var path = ""
        isCopying = true
        var steps = makeRoom()
        steps.append { [self] in
            path = newName()
            copy = disk.create(path)
            history.note("copy \(writer.path) to \(path), inode \(copy!.inode)")
            history.told { $0.renamed(path) }
        }
        func copyMore(_ bytesMax: Int) {
            let done = copy!.bytes.count
            disk.append(Array(node.bytes.dropFirst(done).prefix(bytesMax)), to: copy!)
            history.told { $0.written(path) }
        }
        for _ in 0..<writer.integer(0...2) {
            steps.append { [self] in copyMore(max(1, node.bytes.count / writer.integer(2...3))) }
        }
        steps.append { [self] in
            copyMore(.max)
            writer.isFrozen = true
        }
        steps.append { [self] in
            history.note("cut \(writer.path)")
            disk.truncate(node)
            let old = writer.cut()
            old.wasRenamed = true
            rotated.insert(Rotated(path: path, node: copy!, generation: old), at: 0)
            history.told { $0.written(writer.path) }
            writer.isFrozen = false
            isCopying = false
            if writer.oneIn(2) { writer.write(lines: writer.integer(1...30)) }
        }
        run(steps)
    }

    // MARK: - What destroys

    private func cut(_ node: LogDisk.Node) {
        guard !writer.hasPending(in: node) else { return }
        history.note("cut \(writer.path)")
        disk.truncate(node)
        writer.destroyed(writer.cut(), in: node, isCut: true, hadHandle: node.handles > 0)
        history.told { $0.written(writer.path) }
        if traits.rotation == .reopenTruncated { writer.writeHeader() }
        if writer.oneIn(2) { writer.write(lines: writer.integer(1...30)) }
    }

    private func recreate(_ node: LogDisk.Node) {
        guard !writer.hasPending(in: node) else { return }
        history.note("remove \(writer.path)")
        let hadHandle = node.handles > 0
        disk.unlink(writer.path)
        history.told { $0.renamed(writer.path) }
        writer.destroyed(writer.generation, in: node, isCut: false, hadHandle: hadHandle)
        writer.close()
        if writer.oneIn(2) { writer.open() }
    }

    // MARK: - Links

    /// A new file for the link to lead to.
    func makeTarget() -> LogDisk.Node {
        targets += 1
        let path = (traits.linksElsewhere ? "/data" : "/log") + "/s\(writer.number).target\(targets)"
        let node = disk.create(path)
        history.note("link \(writer.path) to \(path), inode \(node.inode)")
        disk.link(writer.path, to: path)
        target = path
        history.told { $0.renamed(writer.path) }
        return node
    }

    private func swap() {
        guard let old = writer.node, !writer.hasPending(in: old), let oldPath = target else { return }
        let generation = writer.generation
        let node = makeTarget()
        writer.destroyed(generation, in: old, isCut: false, hadHandle: old.handles > 0)
        writer.adopt(node)
        if writer.oneIn(2) { disk.unlink(oldPath) }
    }
}
