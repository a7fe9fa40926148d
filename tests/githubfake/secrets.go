package githubfake

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/nacl/box"
)

const (
	secretsDoc   = "/actions/secrets"
	listDoc      = secretsDoc + "#list-repository-secrets"
	getDoc       = secretsDoc + "#get-a-repository-secret"
	putDoc       = secretsDoc + "#create-or-update-a-repository-secret"
	deleteDoc    = secretsDoc + "#delete-a-repository-secret"
	publicKeyDoc = secretsDoc + "#get-a-repository-public-key"

	maxSecrets = 100       // in one repository
	maxValue   = 48 * 1024 // bytes, opened
)

var (
	nameRule   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	base64Rule = regexp.MustCompile(`^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$`)
)

// keyPair is what callers seal a repository's secrets to.
type keyPair struct {
	id              string
	public, private *[32]byte
}

func newKeyPair(random io.Reader) (keyPair, error) {
	public, private, err := box.GenerateKey(random)
	if err != nil {
		return keyPair{}, fmt.Errorf("make a key pair: %w", err)
	}
	// GitHub's ids are long numbers in strings; here one that follows from the key.
	id := binary.BigEndian.Uint64(public[:8])
	return keyPair{id: strconv.FormatUint(id, 10), public: public, private: private}, nil
}

// open gives the value of a sealed box, or says that it is none for this key.
func (k keyPair) open(sealed string) (string, bool) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", false
	}
	value, ok := box.OpenAnonymous(nil, raw, k.public, k.private)
	return string(value), ok
}

// wireSecret is what GitHub tells of a secret: never its value.
type wireSecret struct {
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

func (s Secret) wire() wireSecret { return wireSecret{s.Name, s.CreatedAt, s.UpdatedAt} }

func (r *repo) sorted() []Secret {
	held := make([]Secret, 0, len(r.secrets))
	for _, secret := range r.secrets {
		held = append(held, *secret)
	}
	slices.SortFunc(held, func(a, b Secret) int { return cmp.Compare(a.Name, b.Name) })
	return held
}

func (f *Fake) getPublicKey(c *call, _ http.Header) (int, any, *apiError) {
	repo, failure := f.readable(c, publicKeyDoc)
	if failure != nil {
		return 0, nil, failure
	}
	key := base64.StdEncoding.EncodeToString(repo.keys.public[:])
	return http.StatusOK, map[string]string{"key_id": repo.keys.id, "key": key}, nil
}

func (f *Fake) getSecret(c *call, _ http.Header) (int, any, *apiError) {
	repo, failure := f.readable(c, getDoc)
	if failure != nil {
		return 0, nil, failure
	}
	secret, ok := repo.secrets[secretKey(c)]
	if !ok {
		return 0, nil, notFound(getDoc)
	}
	return http.StatusOK, secret.wire(), nil
}

func (f *Fake) deleteSecret(c *call, _ http.Header) (int, any, *apiError) {
	repo, failure := f.writable(c, deleteDoc)
	if failure != nil {
		return 0, nil, failure
	}
	if _, ok := repo.secrets[secretKey(c)]; !ok {
		return 0, nil, notFound(deleteDoc)
	}
	delete(repo.secrets, secretKey(c))
	return http.StatusNoContent, nil, nil
}

func (f *Fake) putSecret(c *call, _ http.Header) (int, any, *apiError) {
	repo, failure := f.writable(c, putDoc)
	if failure != nil {
		return 0, nil, failure
	}
	name := secretKey(c)
	value, failure := repo.sealedValue(name, c.body)
	if failure != nil {
		return 0, nil, failure
	}
	now := f.now()
	if secret, ok := repo.secrets[name]; ok {
		secret.Value, secret.UpdatedAt = value, now
		secret.Writes++
		return http.StatusNoContent, nil, nil
	}
	if len(repo.secrets) >= maxSecrets {
		return 0, nil, invalid(putDoc, fmt.Sprintf("A repository can have at most %d secrets.", maxSecrets))
	}
	repo.secrets[name] = &Secret{Name: name, Value: value, CreatedAt: now, UpdatedAt: now, Writes: 1}
	return http.StatusCreated, struct{}{}, nil
}

// sealedValue judges a put as GitHub does, and opens what it brings.
func (r *repo) sealedValue(name string, body []byte) (string, *apiError) {
	if !nameRule.MatchString(name) || strings.HasPrefix(name, "GITHUB_") {
		return "", invalid(putDoc, "Secret names can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or "+
			"underscores (_). Spaces are not allowed. Must start with a letter ([a-z], [A-Z]) or underscores (_).")
	}
	var put map[string]any
	if err := json.Unmarshal(body, &put); err != nil {
		return "", &apiError{status: http.StatusBadRequest, message: "Problems parsing JSON", doc: putDoc}
	}
	sealed, isString := put["encrypted_value"].(string)
	keyID, hasKey := put["key_id"].(string)
	switch {
	case !isString:
		return "", invalid(putDoc, "Invalid request.\n\n\"encrypted_value\" wasn't supplied.")
	case !hasKey:
		return "", invalid(putDoc, "Invalid request.\n\n\"key_id\" wasn't supplied.")
	case !base64Rule.MatchString(sealed):
		// GitHub does repeat what it was given here; a client that passes its messages on leaks by it.
		return "", invalid(putDoc, fmt.Sprintf("Invalid request.\n\n%s does not match /%s/.", sealed, base64Rule))
	}
	value, opens := r.keys.open(sealed)
	if keyID != r.keys.id || !opens {
		return "", invalid(putDoc, "Bad request - validation failed due to an improperly encrypted secret")
	}
	if len(value) > maxValue {
		return "", invalid(putDoc, "The secret's value is too large.")
	}
	return value, nil
}

func (f *Fake) listSecrets(c *call, header http.Header) (int, any, *apiError) {
	repo, failure := f.readable(c, listDoc)
	if failure != nil {
		return 0, nil, failure
	}
	all := repo.sorted()
	page := pageOf(c.request.URL.Query(), len(all))
	if link := page.link(c.request); link != "" {
		header.Set("Link", link)
	}
	shown := make([]wireSecret, 0, page.size)
	for _, secret := range all[page.from:page.to] {
		shown = append(shown, secret.wire())
	}
	return http.StatusOK, map[string]any{"total_count": len(all), "secrets": shown}, nil
}

func secretKey(c *call) string { return strings.ToUpper(c.request.PathValue("secret")) }

// page is one page of a list, as GitHub counts: from 1, 30 to a page unless told otherwise, never more than 100.
type page struct{ number, size, last, from, to int }

func pageOf(query url.Values, total int) page {
	p := page{number: max(1, number(query.Get("page"), 1)), size: min(100, max(1, number(query.Get("per_page"), 30)))}
	p.last = max(1, (total+p.size-1)/p.size)
	p.from = min(total, (min(p.number, p.last+1)-1)*p.size)
	p.to = min(total, p.from+p.size)
	return p
}

func number(text string, otherwise int) int {
	if value, err := strconv.Atoi(text); err == nil {
		return value
	}
	return otherwise
}

// link is the header that leads to the other pages; "" when there are none.
func (p page) link(r *http.Request) string {
	targets := map[string]int{}
	if p.number > 1 {
		targets["first"], targets["prev"] = 1, min(p.number-1, p.last)
	}
	if p.number < p.last {
		targets["next"], targets["last"] = p.number+1, p.last
	}
	path, _, _ := strings.Cut(r.RequestURI, "?") // as the caller wrote it, /api/v3 included
	var links []string
	for _, relation := range slices.Sorted(maps.Keys(targets)) {
		target := url.URL{Scheme: "http", Host: r.Host, Path: path}
		query := r.URL.Query()
		query.Set("page", strconv.Itoa(targets[relation]))
		target.RawQuery = query.Encode()
		links = append(links, fmt.Sprintf(`<%s>; rel="%s"`, target.String(), relation))
	}
	return strings.Join(links, ", ")
}
