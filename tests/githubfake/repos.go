package githubfake

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// repo is a repository with its secrets, by upper-case name.
type repo struct {
	Repo
	id      int64
	owner   *user
	keys    keyPair
	secrets map[string]*Secret
	created time.Time
}

// repoKey is what a repository is found by: GitHub does not mind the case.
func repoKey(owner, name string) string { return strings.ToLower(owner + "/" + name) }

func (f *Fake) getUser(c *call, _ http.Header) (int, any, *apiError) {
	shown := c.user.wire()
	for name, value := range map[string]any{
		"user_view_type": "private", "name": c.user.login, "company": nil, "blog": "", "location": nil, "email": nil,
		"hireable": nil, "bio": nil, "public_repos": 0, "public_gists": 0, "followers": 0, "following": 0,
		"created_at": c.user.created, "updated_at": c.user.created, "private_gists": 0, "total_private_repos": 0,
		"owned_private_repos": 0, "disk_usage": 0, "collaborators": 0, "two_factor_authentication": true,
	} {
		shown[name] = value
	}
	return http.StatusOK, shown, nil
}

// wire is the short form of a user, as it stands in other answers.
func (u *user) wire() map[string]any {
	url := "https://api.github.com/users/" + u.login
	shown := map[string]any{
		"login": u.login, "id": u.id, "node_id": fmt.Sprintf("U_%d", u.id), "gravatar_id": "", "type": "User", "site_admin": false,
		"avatar_url": "https://avatars.githubusercontent.com/u/" + u.login, "url": url, "html_url": "https://github.com/" + u.login,
	}
	for name, path := range map[string]string{
		"followers_url": "/followers", "following_url": "/following{/other_user}", "gists_url": "/gists{/gist_id}",
		"starred_url": "/starred{/owner}{/repo}", "subscriptions_url": "/subscriptions", "organizations_url": "/orgs",
		"repos_url": "/repos", "events_url": "/events{/privacy}", "received_events_url": "/received_events",
	} {
		shown[name] = url + path
	}
	return shown
}

func (f *Fake) getRepo(c *call, _ http.Header) (int, any, *apiError) {
	repo, failure := f.repository(c, "/repos/repos#get-a-repository")
	if failure != nil {
		return 0, nil, failure
	}
	return http.StatusOK, repo.wire(), nil
}

func (r *repo) wire() map[string]any {
	fullName := r.Owner + "/" + r.Name
	shown := map[string]any{
		"id": r.id, "node_id": fmt.Sprintf("R_%d", r.id), "name": r.Name, "full_name": fullName, "owner": r.owner.wire(),
		"private": r.Private, "archived": r.Archived, "visibility": visibility(r.Private), "default_branch": "main",
		"html_url": "https://github.com/" + fullName, "url": "https://api.github.com/repos/" + fullName,
		"git_url": "git://github.com/" + fullName + ".git", "ssh_url": "git@github.com:" + fullName + ".git",
		"clone_url": "https://github.com/" + fullName + ".git", "svn_url": "https://github.com/" + fullName,
		"created_at": r.created, "updated_at": r.created, "pushed_at": r.created,
	}
	for _, name := range []string{"description", "homepage", "language", "license", "mirror_url"} {
		shown[name] = nil
	}
	for _, name := range []string{"fork", "disabled", "has_pages", "has_wiki", "has_projects", "has_discussions"} {
		shown[name] = false
	}
	shown["has_issues"] = true
	for _, name := range strings.Fields("forks forks_count open_issues open_issues_count stargazers_count watchers " +
		"watchers_count network_count subscribers_count size") {
		shown[name] = 0
	}
	for name, path := range repoURLs {
		shown[name] = "https://api.github.com/repos/" + fullName + path
	}
	return shown
}

func visibility(private bool) string {
	if private {
		return "private"
	}
	return "public"
}

var repoURLs = map[string]string{
	"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}", "blobs_url": "/git/blobs{/sha}",
	"branches_url": "/branches{/branch}", "collaborators_url": "/collaborators{/collaborator}",
	"comments_url": "/comments{/number}", "commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}",
	"contents_url": "/contents/{+path}", "contributors_url": "/contributors", "deployments_url": "/deployments",
	"downloads_url": "/downloads", "events_url": "/events", "forks_url": "/forks", "git_commits_url": "/git/commits{/sha}",
	"git_refs_url": "/git/refs{/sha}", "git_tags_url": "/git/tags{/sha}", "hooks_url": "/hooks",
	"issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
	"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}",
	"languages_url": "/languages", "merges_url": "/merges", "milestones_url": "/milestones{/number}",
	"notifications_url": "/notifications{?since,all,participating}", "pulls_url": "/pulls{/number}",
	"releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
	"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags", "teams_url": "/teams",
	"trees_url": "/git/trees{/sha}",
}
