// Measures the Kubernetes API server's token cache, k8s.io/apiserver/pkg/authentication/token/cache, by its public constructor.
//
// The workload is the one that the package is published with (BenchmarkCachedTokenAuthenticator), written anew:
//
//   - Each thread asks for a random token and then for the first one, again and again. Both are counted.
//   - Nine of ten tokens are accepted, nine of a hundred are denied, one of a hundred is an error; errors are cached too. A fifth of
//     the accepted ones have three annotations. A token is asked for with none to three audiences, fewer
//     more often.
//   - What was accepted lives 4 s, what was not 500 ms.
//   - The backend takes 1 ms, 40 at a time.
//
// Prints one JSON object a case. A case is THREADSxTOKENSxBYTES: so many threads, tokens, and bytes in a token. A token of 51 bytes is
// as long as a credential of the other benchmarks, a token of 842 is what the package has.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apiserver/pkg/audit"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/token/cache"
	"k8s.io/apiserver/pkg/authentication/user"
)

const (
	acceptedLife  = 4 * time.Second
	rejectedLife  = 500 * time.Millisecond
	backendTime   = time.Millisecond
	backendWidth  = 40
	mostAudiences = 3
	audienceBytes = 36
	mostTokens    = 10_000_000
	mostThreads   = 1024
	mostBytes     = 65536
	// So often a thread looks at the clock.
	askedPerGlance = 64
	alphabet       = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

var errBackend = errors.New("the backend has failed")

type options struct {
	threads, tokens, bytes int
	warmUp, duration       time.Duration
	seed                   int64
}

// What the backend says of one token.
type truth struct {
	token       string
	audiences   authenticator.Audiences
	response    *authenticator.Response
	accepted    bool
	err         error
	annotations map[string]string
}

func randomText(random *rand.Rand, size int) string {
	text := make([]byte, size)
	for i := range text {
		text[i] = alphabet[random.Intn(len(alphabet))]
	}
	return string(text)
}

// makeTruths gives every token the same beginning, as tokens of one issuer have, and its number at the end.
func makeTruths(o options) []truth {
	random := rand.New(rand.NewSource(o.seed))
	digits := len(fmt.Sprint(o.tokens))
	prefix := randomText(random, o.bytes-digits-1)
	truths := make([]truth, o.tokens)
	for i := range truths {
		t := &truths[i]
		t.token = fmt.Sprintf("%s-%0*d", prefix, digits, i)
		for len(t.audiences) < random.Intn(mostAudiences+1) {
			t.audiences = append(t.audiences, randomText(random, audienceBytes))
		}
		t.response = &authenticator.Response{User: &user.DefaultInfo{Name: fmt.Sprintf("user %d", i)}}
		switch fate := random.Float64(); {
		case fate < 0.9:
			t.accepted = true
			if random.Float64() < 0.2 {
				t.annotations = map[string]string{
					"audience.example":  randomText(random, audienceBytes),
					"namespace.example": "system",
					"number.example":    fmt.Sprint(random.Float64()),
				}
			}
		case fate >= 0.99:
			t.err = errBackend
		}
	}
	return truths
}

// backend answers from the truths, slowly. It counts how often it is asked.
type backend struct {
	byToken map[string]*truth
	width   chan struct{}
	asked   atomic.Int64
}

func newBackend(truths []truth) *backend {
	b := &backend{byToken: make(map[string]*truth, len(truths)), width: make(chan struct{}, backendWidth)}
	for i := range truths {
		b.byToken[truths[i].token] = &truths[i]
	}
	return b
}

func (b *backend) AuthenticateToken(ctx context.Context, token string) (*authenticator.Response, bool, error) {
	b.asked.Add(1)
	b.width <- struct{}{}
	defer func() { <-b.width }()
	time.Sleep(backendTime)
	t := b.byToken[token]
	for key, value := range t.annotations {
		audit.AddAuditAnnotation(ctx, key, value)
	}
	return t.response, t.accepted, t.err
}

// ask returns whether the answer is the right one.
func ask(a authenticator.Token, t *truth) bool {
	ctx := authenticator.WithAudiences(context.Background(), t.audiences)
	response, accepted, err := a.AuthenticateToken(ctx, t.token)
	if t.err != nil || !t.accepted {
		return !accepted && errors.Is(err, t.err)
	}
	return accepted && err == nil && response == t.response
}

// What all threads of a case share.
type run struct {
	cache      authenticator.Token
	truths     []truth
	begin, end time.Time
	wrong      atomic.Int64
}

// drive asks until the end. Each block of questions that began within the time counts, with the time that it took.
func (r *run) drive(seed int64) (asked int64, took, longest time.Duration) {
	random := rand.New(rand.NewSource(seed))
	for before := time.Now(); before.Before(r.end); {
		for range askedPerGlance / 2 {
			if !ask(r.cache, &r.truths[random.Intn(len(r.truths))]) || !ask(r.cache, &r.truths[0]) {
				r.wrong.Add(1)
			}
		}
		now := time.Now()
		if !before.Before(r.begin) {
			asked += askedPerGlance
			took += now.Sub(before)
			longest = max(longest, now.Sub(before))
		}
		before = now
	}
	return asked, took, longest
}

type result struct {
	Tool             string  `json:"tool"`
	Threads          int     `json:"threads"`
	Tokens           int     `json:"tokens"`
	TokenBytes       int     `json:"token_bytes"`
	Seconds          float64 `json:"seconds"`
	Authentications  int64   `json:"authentications"`
	PerSecond        float64 `json:"authentications_per_second"`
	NanosecondsEach  float64 `json:"ns_per_authentication"`
	BackendRequests  int64   `json:"backend_requests"`
	BackendShare     float64 `json:"backend_requests_per_authentication"`
	WrongAnswers     int64   `json:"wrong_answers"`
	LongestBlockUsec float64 `json:"longest_block_us"`
}

func measure(o options) result {
	truths := makeTruths(o)
	b := newBackend(truths)
	now := time.Now()
	r := &run{
		cache:  cache.New(b, true, acceptedLife, rejectedLife),
		truths: truths,
		begin:  now.Add(o.warmUp),
		end:    now.Add(o.warmUp + o.duration),
	}
	type part struct {
		asked         int64
		took, longest time.Duration
	}
	parts := make([]part, o.threads)
	var threads sync.WaitGroup
	for i := range parts {
		threads.Go(func() {
			p := &parts[i]
			p.asked, p.took, p.longest = r.drive(o.seed + int64(i) + 1)
		})
	}
	var askedBefore int64
	threads.Go(func() {
		time.Sleep(time.Until(r.begin))
		askedBefore = b.asked.Load()
	})
	threads.Wait()

	out := result{Tool: "kubernetes-token-cache", Threads: o.threads, Tokens: o.tokens, TokenBytes: o.bytes}
	out.BackendRequests = b.asked.Load() - askedBefore
	out.WrongAnswers = r.wrong.Load()
	for _, p := range parts {
		out.Authentications += p.asked
		out.Seconds = max(out.Seconds, p.took.Seconds())
		out.LongestBlockUsec = max(out.LongestBlockUsec, float64(p.longest.Nanoseconds())/1e3)
		if p.took > 0 {
			out.PerSecond += float64(p.asked) / p.took.Seconds()
		}
	}
	if out.Authentications > 0 {
		out.NanosecondsEach = 1e9 * float64(o.threads) / out.PerSecond
		out.BackendShare = float64(out.BackendRequests) / float64(out.Authentications)
	}
	return out
}

// parseCase reads THREADSxTOKENSxBYTES.
func parseCase(text string, o options) (options, error) {
	fields := strings.Split(text, "x")
	if len(fields) != 3 {
		return o, fmt.Errorf("%q is no case: THREADSxTOKENSxBYTES is expected", text)
	}
	for i, limit := range []struct {
		value       *int
		least, most int
	}{{&o.threads, 1, mostThreads}, {&o.tokens, 1, mostTokens}, {&o.bytes, len(fmt.Sprint(mostTokens)) + 1, mostBytes}} {
		if _, err := fmt.Sscanf(fields[i], "%d", limit.value); err != nil || fmt.Sprint(*limit.value) != fields[i] ||
			*limit.value < limit.least || *limit.value > limit.most {
			return o, fmt.Errorf("%q of %q: a number from %d to %d is expected", fields[i], text, limit.least, limit.most)
		}
	}
	return o, nil
}

func fail(code int, message any) {
	fmt.Fprintf(os.Stderr, "kubernetes-token-cache: %v\n", message)
	os.Exit(code)
}

func main() {
	var o options
	flag.DurationVar(&o.warmUp, "warm-up", time.Second, "before measuring")
	flag.DurationVar(&o.duration, "duration", 5*time.Second, "to be measured")
	flag.Int64Var(&o.seed, "seed", 1, "the same seed gives the same tokens and order")
	flag.Parse()
	if flag.NArg() == 0 || o.duration <= 0 || o.warmUp < 0 {
		fail(2, "usage: [-warm-up 1s] [-duration 5s] [-seed 1] THREADSxTOKENSxBYTES...")
	}
	var cases []options
	for _, text := range flag.Args() {
		one, err := parseCase(text, o)
		if err != nil {
			fail(2, err)
		}
		cases = append(cases, one)
	}
	results := make([]result, 0, len(cases))
	for _, one := range cases {
		results = append(results, measure(one))
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		fail(4, err)
	}
	if slices.ContainsFunc(results, func(r result) bool { return r.WrongAnswers > 0 || r.Authentications == 0 }) {
		fail(1, "wrong answers, or none")
	}
}
