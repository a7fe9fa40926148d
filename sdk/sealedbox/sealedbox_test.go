package sealedbox_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/sdk/sealedbox"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const canary = "canary-7d1f"

func ring(t require.TestingT) *sealedbox.Ring {
	made, err := sealedbox.Generate(now)
	require.NoError(t, err)
	return made
}

func envelope() sealedbox.Envelope {
	return sealedbox.Envelope{
		Audience: "tenant", Provider: "acme", Purpose: "acme:bucket#/key", Deployment: "deployment",
		NotAfter: now.Add(time.Hour), Value: canary,
	}
}

func expect() sealedbox.Expect {
	return sealedbox.Expect{
		Audience: "tenant", Provider: "acme", Purpose: sealedbox.PurposeProperty("acme:bucket", "/key"),
		Deployment: "deployment", Now: now,
	}
}

func TestOpenGivesWhatWasSealed(t *testing.T) {
	r := ring(t)
	box, err := sealedbox.Seal(r.Primary().Key, envelope())
	require.NoError(t, err)
	opened, err := r.Open(box, expect())
	require.NoError(t, err)
	want := envelope()
	want.Version = 1
	require.True(t, want == opened)
}

func TestAnyValueComesBack(t *testing.T) {
	r := ring(t)
	rapid.Check(t, func(t *rapid.T) {
		sealed := envelope()
		sealed.Value = rapid.String().Draw(t, "value")
		box, err := sealedbox.Seal(r.Primary().Key, sealed)
		require.NoError(t, err)
		opened, err := r.Open(box, expect())
		require.NoError(t, err)
		require.True(t, sealed.Value == opened.Value)
	})
}

func TestOpenRefusesWhatIsMeantForSomethingElse(t *testing.T) {
	cases := map[string]struct {
		change func(*sealedbox.Expect)
		want   error
	}{
		"another tenant":     {func(e *sealedbox.Expect) { e.Audience = "other" }, sealedbox.ErrMismatch},
		"another provider":   {func(e *sealedbox.Expect) { e.Provider = "other" }, sealedbox.ErrMismatch},
		"another field":      {func(e *sealedbox.Expect) { e.Purpose = sealedbox.PurposeCredential }, sealedbox.ErrMismatch},
		"another deployment": {func(e *sealedbox.Expect) { e.Deployment = "other" }, sealedbox.ErrMismatch},
		"too late":           {func(e *sealedbox.Expect) { e.Now = now.Add(2 * time.Hour) }, sealedbox.ErrExpired},
		"plain allowed, but it is an envelope": {func(e *sealedbox.Expect) {
			e.AllowPlain, e.Audience = true, "other"
		}, sealedbox.ErrMismatch},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := ring(t)
			box, err := sealedbox.Seal(r.Primary().Key, envelope())
			require.NoError(t, err)
			wanted := expect()
			c.change(&wanted)
			_, err = r.Open(box, wanted)
			require.ErrorIs(t, err, c.want)
			require.NotContains(t, err.Error(), canary)
		})
	}
}

func TestAnEnvelopeWithoutDeploymentOrEndServesAll(t *testing.T) {
	r := ring(t)
	sealed := envelope()
	sealed.Deployment, sealed.NotAfter = "", time.Time{}
	box, err := sealedbox.Seal(r.Primary().Key, sealed)
	require.NoError(t, err)
	wanted := expect()
	wanted.Deployment, wanted.Now = "any", now.AddDate(10, 0, 0)
	_, err = r.Open(box, wanted)
	require.NoError(t, err)
}

func TestPlainBoxesAreOpenedOnlyWhenAsked(t *testing.T) {
	r := ring(t)
	for _, value := range []string{canary, `{"v":7}`, `{"audience":"tenant"}`, `[1]`, "", `{"v":1`} {
		box, err := sealedbox.SealPlain(r.Primary().Key, []byte(value))
		require.NoError(t, err)
		_, err = r.Open(box, expect())
		require.ErrorIs(t, err, sealedbox.ErrPlain)
		wanted := expect()
		wanted.AllowPlain = true
		opened, err := r.Open(box, wanted)
		require.NoError(t, err)
		require.True(t, value == opened.Value)
	}
}

func TestABrokenEnvelopeIsNoPlainValue(t *testing.T) {
	r := ring(t)
	for value, want := range map[string]error{
		`{"v":2,"audience":"tenant","value":"x"}`:   sealedbox.ErrVersion,
		`{"v":0,"audience":"tenant","value":"x"}`:   sealedbox.ErrVersion,
		`{"v":"1","audience":"tenant","value":"x"}`: sealedbox.ErrVersion,
		`{"v":1,"audience":7,"value":"x"}`:          sealedbox.ErrVersion,
		"\xff\xfe":                                  sealedbox.ErrValue,
	} {
		box, err := sealedbox.SealPlain(r.Primary().Key, []byte(value))
		require.NoError(t, err)
		wanted := expect()
		wanted.AllowPlain = true
		_, err = r.Open(box, wanted)
		require.ErrorIs(t, err, want, value)
	}
}

func TestOpenRefusesWhatIsNoBoxOfThisRing(t *testing.T) {
	r, other := ring(t), ring(t)
	box, err := sealedbox.Seal(other.Primary().Key, envelope())
	require.NoError(t, err)
	_, err = r.Open(box, expect())
	require.ErrorIs(t, err, sealedbox.ErrUnopened)
	raw, err := base64.StdEncoding.DecodeString(box)
	require.NoError(t, err)
	for _, bad := range []string{"", "%", "AAAA", base64.RawURLEncoding.EncodeToString(raw) + "\n", strings.Repeat("A", 9<<20)} {
		_, err := r.Open(bad, expect())
		require.ErrorIs(t, err, sealedbox.ErrMalformed)
	}
	raw[len(raw)-1] ^= 1
	_, err = other.Open(base64.StdEncoding.EncodeToString(raw), expect())
	require.ErrorIs(t, err, sealedbox.ErrUnopened)
}

func TestSealRefusesKeysAndValuesThatAreNone(t *testing.T) {
	_, err := sealedbox.Seal([]byte("short"), envelope())
	require.ErrorIs(t, err, sealedbox.ErrKey)
	binary := envelope()
	binary.Value = "\xff"
	_, err = sealedbox.Seal(ring(t).Primary().Key, binary)
	require.ErrorIs(t, err, sealedbox.ErrValue)
}

func TestNothingPrintsAValueOrAKey(t *testing.T) {
	e := envelope()
	encoded, err := json.Marshal(e)
	require.NoError(t, err)
	var logged strings.Builder
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "envelope", e)
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %d", e, e, e, e, e, e, e) + string(encoded) + logged.String()
	require.NotContains(t, printed, canary)
	require.NotContains(t, printed, fmt.Sprintf("%x", canary))
	r := ring(t)
	require.Equal(t, "key ring: ***", fmt.Sprintf("%+v", r))
	require.Equal(t, "key ring: ***", fmt.Sprintf("%#v", r))
}

func TestFingerprints(t *testing.T) {
	r := ring(t)
	same := r.Fingerprint("tenant", canary)
	require.Len(t, same, 64)
	require.Equal(t, same, r.Fingerprint("tenant", canary))
	require.NotEqual(t, same, r.Fingerprint("tenant", canary+"x"))
	require.NotEqual(t, same, r.Fingerprint("other", canary))
	require.NotEqual(t, same, ring(t).Fingerprint("tenant", canary))
}

func FuzzOpen(f *testing.F) {
	r := ring(f)
	box, err := sealedbox.Seal(r.Primary().Key, envelope())
	require.NoError(f, err)
	for _, seed := range []string{box, box[:len(box)-4], "", "AAAA", "====", strings.Repeat("A", 64)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bytes string) {
		opened, err := r.Open(bytes, expect())
		if err != nil {
			require.True(t, opened == sealedbox.Envelope{})
			return
		}
		require.Equal(t, box, bytes, "only the one box opens")
	})
}

func FuzzPlaintext(f *testing.F) {
	r := ring(f)
	for _, seed := range []string{"", "x", "{}", `{"v":1,"audience":"tenant","provider":"acme","purpose":"p","value":"x"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, plain []byte) {
		box, err := sealedbox.SealPlain(r.Primary().Key, plain)
		require.NoError(t, err)
		opened, err := r.Open(box, expect())
		require.True(t, err != nil || opened.Audience == "tenant" && opened.Provider == "acme")
		wanted := expect()
		wanted.AllowPlain = true
		opened, err = r.Open(box, wanted)
		require.True(t, err != nil || opened.Version != 0 || opened.Value == string(plain))
	})
}
