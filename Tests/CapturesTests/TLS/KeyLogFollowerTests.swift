import Glibc
import NIOCore
import Testing

@testable import Captures

/// Files that grow, come late, begin anew or are replaced while they are read.
@Suite struct KeyLogFollowerTests {
    /// What a follower told, as text: `~` where a line is void, `|` where a text ends, `!` before trouble.
    private final class Reader {
        let follower: KeyLogFollower
        var text = ""
        init(_ path: String) throws { follower = try KeyLogFollower(path) }

        @discardableResult
        func poll(_ most: Int = 1 << 16) throws -> Bool {
            try follower.poll(most) { news in
                switch news {
                case .bytes(let bytes): text += String(buffer: bytes)
                case .anew(let voidsRest): text += voidsRest ? "~" : "|"
                case .trouble(let reason): text += "!\(reason)"
                }
            }
        }

        /// What a poll told.
        func news(_ most: Int = 1 << 16) throws -> String {
            text = ""
            try poll(most)
            return text
        }
    }

    private func append(_ text: String, _ path: String) throws {
        guard let file = unsafe fopen(path, "ab") else { throw Folder.Missing(path: path) }
        defer { unsafe fclose(file) }
        unsafe fputs(text, file)
    }

    @Test func halvesOfLinesComeAsTheyAreWritten() throws {
        let folder = try Folder()
        try folder.write("k", "one\ntw")
        let reader = try Reader(folder["k"])
        #expect(reader.follower.isThere)
        #expect(try reader.news() == "one\ntw")
        #expect(try reader.news() == "")
        try append("o\nthree", folder["k"])
        #expect(try reader.news() == "o\nthree")
        try append("\n", folder["k"])
        #expect(try reader.news() == "\n")
        #expect(try reader.news() == "")
    }

    @Test func aFileMayComeLater() throws {
        let folder = try Folder()
        let reader = try Reader(folder["k"])
        #expect(!reader.follower.isThere && reader.follower.path == folder["k"])
        #expect(try reader.news() == "")
        try folder.write("k", "")
        #expect(try reader.news() == "")
        #expect(reader.follower.isThere)
        try append("one\n", folder["k"])
        #expect(try reader.news() == "one\n")
    }

    @Test func aFileThatIsEmptiedBeginsAnew() throws {
        let folder = try Folder()
        try folder.write("k", "a long line\nhalf of a li")
        let reader = try Reader(folder["k"])
        try reader.poll()
        try folder.write("k", "short\n")
        #expect(try reader.news() == "~short\n")
        try folder.write("k", "")
        #expect(try reader.news() == "~")
        try append("more\n", folder["k"])
        #expect(try reader.news() == "more\n")
    }

    /// As long as before, or longer: its length tells nothing.
    @Test func aFileWrittenAnewIsNoticedByItsBytes() throws {
        let folder = try Folder()
        let line = String(repeating: "0123456789", count: 90)
        try folder.write("k", "\(line)1\n")
        let reader = try Reader(folder["k"])
        try reader.poll()
        // A file system's clock may stand still for some milliseconds.
        usleep(20_000)
        try folder.write("k", "\(line)2\n")
        #expect(try reader.news() == "~\(line)2\n")
        usleep(20_000)
        try folder.write("k", "\(line)3\n\(line)4\n")
        #expect(try reader.news() == "~\(line)3\n\(line)4\n")
        usleep(20_000)
        try append("5\n", folder["k"])
        #expect(try reader.news() == "5\n")
    }

    @Test func theNextFileOfTheNameIsReadBehindTheRestOfTheOld() throws {
        let folder = try Folder()
        try folder.write("k", "one\n")
        let reader = try Reader(folder["k"])
        try reader.poll()
        try append("two", folder["k"])
        #expect(unsafe rename(folder["k"], folder["k.1"]) == 0)
        #expect(try reader.news() == "two")
        // Nothing has the name: who holds the old one may still write to it.
        try append(" halves\nhal", folder["k.1"])
        #expect(try reader.news() == " halves\nhal")
        try append("f", folder["k.1"])
        try folder.write("k", "three\n")
        #expect(try reader.news() == "f|")
        #expect(try reader.news() == "three\n")
        folder.remove("k")
        #expect(try reader.news() == "")
        try folder.write("k", "four\n")
        _ = try reader.news()
        try reader.poll()
        #expect(reader.text == "|four\n")
    }

    @Test func aPollIsBounded() throws {
        let folder = try Folder()
        let line = String(repeating: "x", count: 999) + "\n"
        try folder.write("k", String(repeating: line, count: 1_000))
        let reader = try Reader(folder["k"])
        var polls = 0
        var isMore = true
        while isMore {
            let before = reader.text.utf8.count
            isMore = try reader.poll(4_096)
            #expect(reader.text.utf8.count - before <= 4_096)
            polls += 1
        }
        #expect(reader.text.utf8.count == 1_000_000 && polls >= 245)
    }

    /// The link that was named is followed, once; one that comes to stand in the file's place never is.
    @Test func linksAreSettledAtTheStart() throws {
        let folder = try Folder()
        try folder.write("real", "one\n")
        try folder.write("other", "not yours\n")
        #expect(unsafe symlink("real", folder["link"]) == 0)
        let reader = try Reader(folder["link"])
        #expect(try reader.news() == "one\n")
        folder.remove("link")
        #expect(unsafe symlink("other", folder["link"]) == 0)
        try append("two\n", folder["real"])
        #expect(try reader.news() == "two\n")
        folder.remove("real")
        #expect(unsafe symlink("other", folder["real"]) == 0)
        #expect(try reader.news() == "!a link came to stand there, which is not followed")
        #expect(try reader.news() == "")
        folder.remove("real")
        try folder.write("real", "three\n")
        try reader.poll()
        try reader.poll()
        #expect(reader.text == "|three\n")
    }

    @Test func aLinkInPlaceOfAFileThatWasAwaitedIsNotFollowed() throws {
        let folder = try Folder()
        try folder.write("other", "not yours\n")
        let reader = try Reader(folder["k"])
        #expect(unsafe symlink("other", folder["k"]) == 0)
        #expect(try reader.news() == "!a link came to stand there, which is not followed")
        #expect(try reader.news() == "")
        #expect(unsafe unlink(folder["k"]) == 0 && mkdir(folder["k"], 0o700) == 0)
        #expect(try reader.news() == "!neither a file nor a pipe")
        folder.removeDirectory("k")
        try folder.write("k", "one\n")
        #expect(try reader.news() == "one\n")
    }

    @Test func aDirectoryThatChangesPlaceIsNotFollowed() throws {
        let folder = try Folder()
        #expect(unsafe mkdir(folder["a"], 0o700) == 0 && mkdir(folder["b"], 0o700) == 0)
        try folder.write("b/k", "not yours\n")
        let reader = try Reader(folder["a/k"])
        #expect(unsafe rename(folder["a"], folder["c"]) == 0 && symlink("b", folder["a"]) == 0)
        #expect(try reader.news() == "")
        try folder.write("c/k", "one\n")
        #expect(try reader.news() == "one\n")
    }

    @Test func pipesAreRead() throws {
        let folder = try Folder()
        #expect(unsafe mkfifo(folder["k"], 0o600) == 0)
        let reader = try Reader(folder["k"])
        #expect(try reader.news() == "")
        let writer = unsafe open(folder["k"], O_WRONLY | O_NONBLOCK)
        try #require(writer >= 0)
        #expect(try reader.news() == "")
        #expect(unsafe write(writer, "one\ntw", 6) == 6)
        #expect(try reader.news() == "one\ntw")
        #expect(unsafe write(writer, "o\n", 2) == 2)
        close(writer)
        #expect(try reader.news() == "o\n")
        #expect(try reader.news() == "")
        // As a shell gives it: /dev/fd/63.
        var ends: [Int32] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let unnamed = try Reader("/dev/fd/\(ends[0])")
        #expect(unsafe write(ends[1], "six\n", 4) == 4)
        #expect(try unnamed.news() == "six\n")
    }

    @Test func whatCannotComeIsAnErrorAtOnce() throws {
        let folder = try Folder()
        #expect(unsafe symlink("nowhere", folder["dangling"]) == 0)
        try folder.write("file", "")
        for (path, found) in [
            (folder["none/k"], "no directory \(folder["none"])"), (folder.path, "neither a file nor a pipe"),
            (folder["dangling"], "a link to a file that is not there"), (folder["file/k"], "Not a directory"),
            (folder["none/"], "no name of a file"), ("", "no name of a file"), ("/dev/null", "neither a file nor a pipe"),
        ] {
            let error = #expect(throws: ImportError.self) { try KeyLogFollower(path) }
            #expect(error?.place == path && error?.sentence == "the key log cannot be read" && error?.found == found)
            #expect(error?.remedy?.isEmpty == false)
        }
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything")) func whatMayNotBeReadIsToldOnce() throws {
        let folder = try Folder()
        let reader = try Reader(folder["k"])
        try folder.write("k", "one\n")
        #expect(unsafe chmod(folder["k"], 0) == 0)
        #expect(try reader.news() == "!Permission denied")
        #expect(try reader.news() == "")
        #expect(throws: ImportError.self) { try KeyLogFollower(folder["k"]) }
        #expect(unsafe chmod(folder["k"], 0o600) == 0)
        #expect(try reader.news() == "one\n")
    }
}
