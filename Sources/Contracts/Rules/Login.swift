package import Wire

/// An HTTP exchange that gets a credential for a made-up user (contract.md, `identity.login`).
package struct LoginRule: Sendable {
    /// A path of the target, or a whole URL: `/login`.
    package var post: String
    /// The body, a template with `{user}` and the like.
    package var json: JSON
    /// Where the credential stands in the answer.
    package var token: Path
    /// Where the answer says when it ends: seconds since 1970 or from now; nil = it does not.
    package var expires: Path?
    package var line: Line
    package init(post: String, json: JSON, token: Path, expires: Path?, line: Line) {
        self.post = post
        self.json = json
        self.token = token
        self.expires = expires
        self.line = line
    }
}
