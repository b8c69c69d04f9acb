import Base

/// Decides which of the files that stand beside a source's path are which of its streams, and what the others are.
///
/// Rotation keeps an order: it renames, compresses or copies files without changing which is older, and removes the oldest first. So the
/// files of a source, in the order of their names, are those of its streams, in the order of their ids, then what is new. Between
/// them may stand copies that are still being made; before them, what was read so long ago that it is forgotten.
///
/// Names, inodes and times come as values, from a look at the folder that no rotation changed; contents are compared through closures.
struct Lineage {
    struct Known {
        enum Place: Hashable, Sendable {
            case named(FoundFile)
            /// No name leads to it, but it is open, and there is more to read.
            case unnamed
            /// No name leads to it; it is open and was read to its end. Where a copy was made of it, that is what others see of it.
            case unnamedAtEnd
            /// No name leads to it and it isn't open: its bytes may stand in a copy.
            case missing
            /// A name of another folder leads to it.
            case elsewhere
        }

        var id: StreamID
        var place: Place
        /// How many of its first bytes are known, so that a copy can be told from another file.
        var prefixLength: Int
        /// How far it was read.
        var offset: Int64
        /// How much stands in its open file; 0 where it isn't open.
        var openSize: Int64
        /// It was read to its end for good, or is not wanted.
        var isDone: Bool
        /// It was read from a compressed file: nothing else is made of such a one.
        var isCompressed: Bool
        /// It is open, so its inode is no other file's.
        var isOpen: Bool
        /// Its inode and a few bytes are all that says where it stands: another file may have got them.
        var isDoubtful: Bool
        /// When its file had last been written to, as far as was seen.
        var modified: Timestamp
        /// What rotation had called it when it was last seen; nil where that isn't known.
        var lastName: RotatedName?

        /// How many of its first bytes can be compared.
        fileprivate var bytesSeen: Int64 { max(offset, Int64(prefixLength)) }

        fileprivate func mayHaveBecome(_ file: FoundFile) -> Bool {
            guard case .rotated(let name) = file.location.age, let lastName else { return true }
            return lastName.mayBecome(name)
        }

        fileprivate var isNamed: Bool { if case .named = place { true } else { false } }

        fileprivate var certainty: (Int, Int64, Int) { (isOpen ? 1 : 0, offset, prefixLength) }
    }

    enum Decision: Hashable, Sendable {
        /// What the stream was read from stands here now.
        case moves(StreamID, to: FoundFile)
        /// Nothing leads to the stream any more. `mayBeAmongNew`: it can't be told from a file that begins now.
        case gone(StreamID, mayBeAmongNew: Bool)
        /// A new stream. They come in the order in which they are to be read.
        case begins(FoundFile)
        /// One of the youngest of those that stood there before the source was known; remembered, so that it is recognised.
        case unwanted(FoundFile)
        /// Nothing new.
        case passed(FoundFile)
    }

    /// The source's streams in their order.
    var streams: [Known]
    /// Its folder was looked at before.
    var isKnown: Bool
    var passed: Set<FoundFile.Trace>
    /// So many files from before the source was known are remembered.
    var rememberedMax: Int
    /// Whether the file begins as the stream did, up to the stream's position.
    var fits: (StreamID, FoundFile) -> Bool
    /// Whether the file begins with all that stands in the stream's open file.
    var holdsAll: (StreamID, FoundFile) -> Bool
    /// Whether all that stands in the first file begins the second.
    var begins: (FoundFile, _ with: FoundFile) -> Bool

    /// - Parameter others: the files of the source that no stream is known to stand in.
    mutating func resolve(_ others: [FoundFile]) -> [Decision] {
        var free = others
        unseatReusedInodes(&free)
        // Whoever knows more of a file has it, whatever its inode says.
        dropUnfinishedCopies(&free)
        for case .named(let found) in streams.lazy.filter(\.isDoubtful).map(\.place) { free.append(found) }
        free.sort { $0.isOlder(than: $1) }
        var placed: [FoundFile?] = streams.map { stream in
            if case .named(let found) = stream.place, !stream.isDoubtful { found } else { nil }
        }
        var decisions: [Decision] = []
        placeKnown(&placed, &free)
        placeBlank(&placed, &free)
        for (stream, place) in zip(streams, placed) {
            switch (stream.place, place) {
            case (.named(let found), let place?):
                if found != place { decisions.append(.moves(stream.id, to: place)) }
            case (.missing, let place?), (.unnamedAtEnd, let place?): decisions.append(.moves(stream.id, to: place))
            case (.missing, nil), (.named, nil):
                let hasOthers = free.contains { $0.location.age != .current && !passed.contains($0.trace) }
                decisions.append(.gone(stream.id, mayBeAmongNew: stream.prefixLength == 0 && hasOthers))
            case (.unnamed, _), (.unnamedAtEnd, nil), (.elsewhere, _): break
            }
        }
        return decisions + judge(free, placed.compactMap { $0 })
    }

    /// Where two streams stand in the wrong order, the one of which less is known isn't there: another file got its inode.
    private mutating func unseatReusedInodes(_ free: inout [FoundFile]) {
        for older in streams.indices {
            for younger in streams.indices[(older + 1)...] {
                guard case .named(let one) = streams[older].place, case .named(let other) = streams[younger].place,
                    other.location.isOlder(than: one.location) == true
                else { continue }
                let isOlderSurer = streams[older].certainty > streams[younger].certainty
                let index = isOlderSurer ? younger : older
                streams[index].place = .missing
                free.append(isOlderSurer ? other : one)
            }
        }
    }

    /// While a copy is being made its original stands there too, and is what counts. Afterwards the copy is looked at again.
    private func dropUnfinishedCopies(_ free: inout [FoundFile]) {
        let all = free + streams.compactMap { if case .named(let found) = $0.place { found } else { nil } }
        free.removeAll { file in
            guard file.location.age != .current, !passed.contains(file.trace) else { return false }
            // Nothing compressed takes no bytes.
            if file.location.isCompressed, file.size == 0 { return true }
            let next = all.filter { file.location.isOlder(than: $0.location) == true }.min { $0.isOlder(than: $1) }
            return next.map { isBeingMade(file, from: $0, among: all) } ?? false
        }
    }

    /// Finds the files of streams that lost their name, and of those whose inode alone says where they stand: from the one of which most
    /// is known to the one of which least is, so that what begins like many others takes nobody's place.
    private func placeKnown(_ placed: inout [FoundFile?], _ free: inout [FoundFile]) {
        let searching = streams.indices.filter { isSearching($0) && streams[$0].prefixLength > 0 }
        let wholes = Set(searching.filter { isFoundWhole(streams[$0], free) })
        let known = Dictionary(
            uniqueKeysWithValues: searching.map {
                ($0, wholes.contains($0) ? streams[$0].openSize : streams[$0].bytesSeen)
            })
        for index in searching.sorted(by: { (known[$1]!, $0) < (known[$0]!, $1) }) {
            let stream = streams[index]
            var own: FoundFile?
            if case .named(let found) = stream.place { own = found }
            let candidates = between(placed, index, free).filter { file in
                file == own || mayBeCopy(of: stream, file) && fits(stream.id, file)
            }
            let sameTime = stream.isDone ? candidates.first { $0.modified == stream.modified } : nil
            // While a copy is being made, the file itself is what it was.
            let first = candidates.first { file in own.map { file == $0 || !isPart(file, of: $0) } ?? true }
            let whole = wholes.contains(index) ? candidates.first { holdsAll(stream.id, $0) } : nil
            place(index, whole ?? sameTime ?? first, &placed, &free)
        }
    }

    /// Whether all that stands in the stream's open file, more than was read of it, begins a file of the folder.
    private func isFoundWhole(_ stream: Known, _ free: [FoundFile]) -> Bool {
        stream.openSize > stream.offset && free.contains { mayBeCopy(of: stream, $0) && holdsAll(stream.id, $0) }
    }

    /// Streams of which no byte is known are what stands in their place in the row, if it was written to since. A file that got the
    /// inode of one after that was compressed was written to later than the compressed one.
    private func placeBlank(_ placed: inout [FoundFile?], _ free: inout [FoundFile]) {
        for index in streams.indices where isSearching(index) && streams[index].prefixLength == 0 {
            let stream = streams[index]
            var own: FoundFile?
            if case .named(let found) = stream.place { own = found }
            let candidates = between(placed, index, free)
            let copy = candidates.first { file in
                file.location.age != .current && file != own && file.size > 0 && file.modified >= stream.modified
                    && !passed.contains(file.trace) && stream.mayHaveBecome(file)
                    && (file.location.isCompressed || !stream.isCompressed)
                    && own.map { mayBeOriginal(file, of: $0) && !isPart(file, of: $0) } ?? true
                    && !outlivedYounger(file, index, placed, free)
            }
            // Of one that is done nothing is wanted: what may have been its copy is new if its inode was given away.
            if stream.isDone, copy != nil { continue }
            place(index, copy ?? candidates.first { $0 == own }, &placed, &free)
        }
    }

    /// Whether a stream younger than the one at `index` lost its file, while this one has its name: the oldest are removed first, so this
    /// file came after both. True only where it then counts as new, and where nothing may be a copy of the lost one.
    private func outlivedYounger(_ file: FoundFile, _ index: Int, _ placed: [FoundFile?], _ free: [FoundFile]) -> Bool {
        streams[(index + 1)...].contains { $0.place == .unnamed }
            && !placed.contains { $0.map { file.location.isOlder(than: $0.location) == true } ?? false }
            && !free.contains { $0.location.age != .current && file.location.isOlder(than: $0.location) == true }
    }

    /// Whether `file` may hold what stood in `own`, or in another file with its inode, before.
    private func mayBeOriginal(_ file: FoundFile, of own: FoundFile) -> Bool {
        guard file.location.isOlder(than: own.location) == true else { return false }
        return own.location.age == .current || !file.location.isCompressed || file.modified <= own.modified
    }

    /// What is written to now may be copied before it is cut, but isn't compressed where it stands; and a file that is being compressed
    /// has a later time than its original. An older one may hold no more than what all files begin with.
    private func isPart(_ file: FoundFile, of own: FoundFile) -> Bool {
        if file.location.isCompressed, own.location.age == .current || file.modified < own.modified { return false }
        return begins(file, own)
    }

    private func isSearching(_ index: Int) -> Bool {
        switch streams[index].place {
        case .named: streams[index].isDoubtful
        case .elsewhere: false
        case .unnamed, .unnamedAtEnd, .missing: true
        }
    }

    private func place(_ index: Int, _ file: FoundFile?, _ placed: inout [FoundFile?], _ free: inout [FoundFile]) {
        placed[index] = file
        if let file { free.removeAll { $0 == file } }
    }

    /// Copies stand under the names of rotated files, and none has an earlier time than its original had. What applications write to may
    /// begin as others did; it counts as a copy (of a moved folder, a restored disk) only where much is the same, and the original can't
    /// be read.
    private func mayBeCopy(of stream: Known, _ file: FoundFile) -> Bool {
        if stream.isCompressed, !file.location.isCompressed { return false }
        let isSure = stream.prefixLength == FilePosition.prefixBytesMax
        if isSure { return file.location.age != .current || stream.place == .missing }
        guard file.location.age != .current, file.modified >= stream.modified, stream.mayHaveBecome(file) else {
            return false
        }
        if stream.isCompressed, file.modified != stream.modified { return false }
        // What was rotated away and read to its end is compressed, if anything is still made of it.
        if stream.isDone, !file.location.isCompressed { return false }
        // What is open and lost its name was not cut, so it was compressed rather than copied.
        return stream.place == .missing || stream.isNamed || file.location.isCompressed
    }

    /// Those that stand neither before an older stream nor after a younger one.
    private func between(_ placed: [FoundFile?], _ index: Int, _ free: [FoundFile]) -> [FoundFile] {
        let older = placed[..<index].compactMap { $0 }.last
        let younger = placed[(index + 1)...].compactMap { $0 }.first
        return free.filter { file in
            older.map { file.location.isOlder(than: $0.location) != true } ?? true
                && younger.map { $0.location.isOlder(than: file.location) != true } ?? true
        }
    }

    /// What the files are that belong to no stream.
    private func judge(_ free: [FoundFile], _ placed: [FoundFile]) -> [Decision] {
        var decisions: [Decision] = []
        var old: [FoundFile] = []
        for file in free where !passed.contains(file.trace) {
            if placed.contains(where: { file.location.isOlder(than: $0.location) == true }) {
                decisions.append(.passed(file))
            } else if !isKnown, !file.isMatch {
                old.append(file)
            } else {
                decisions.append(.begins(file))
            }
        }
        let remembered = old.suffix(rememberedMax)
        return old.dropLast(rememberedMax).map { .passed($0) } + remembered.map { .unwanted($0) } + decisions
    }

    /// A copy is made after its original; what was rotated away was made before what came after it. Where nobody knows when files were
    /// made: a copy is written to after its original (a compressed one gets its time in the end), and an older file was written to before.
    /// Within one millisecond the younger inode is the copy's, as a rule. Where the original was written to since the copy was, what they
    /// have in common must not be what all files begin with.
    private func isBeingMade(_ file: FoundFile, from other: FoundFile, among all: [FoundFile]) -> Bool {
        // Only what is written to is copied as it is, in order to be cut; what was rotated away is renamed or compressed.
        guard file.location.isCompressed || other.location.age == .current else { return false }
        guard !other.location.isCompressed, file.location.mayBeMade(from: other.location), begins(file, other) else {
            return false
        }
        if file.file.born != 0, other.file.born != 0 {
            if !file.location.isCompressed { return file.file.born > other.file.born }
            if file.file.born < other.file.born { return false }
        }
        if file.size == 0 { return file.file.inode > other.file.inode && other.size > 0 }
        if file.modified == other.modified {
            return file.location.isCompressed || file.file.inode > other.file.inode
        }
        if file.modified > other.modified { return true }
        let rest = all.filter { $0 != file && $0 != other && $0.size > 0 }
        return !file.location.isCompressed && file.size > 0 && !rest.isEmpty && !rest.contains { begins(file, $0) }
    }
}
