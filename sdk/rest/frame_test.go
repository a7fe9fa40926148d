package rest

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzFrames(f *testing.F) {
	for _, seed := range []string{
		"id: a:1\nevent: x\ndata: {}\n\n", ": alive\n\n", "data: {\ndata: }\r\n\r\n", "event: end\n\n", "data\n\n", "\n\n\ndata:", "event:end\ndata:{}\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		frames := &frameReader{lines: bufio.NewReaderSize(bytes.NewReader(stream), 16), alive: func() {}}
		for read := 0; ; read++ {
			frame, err := frames.next()
			if err != nil {
				return
			}
			require.NotNil(t, frame.data)
			require.LessOrEqual(t, read, len(stream))
			_, _ = frame.deliver(&FollowFrom{}, func(Event) {})
		}
	})
}

func TestLongLines(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 1<<16)
	stream := append(append([]byte("data: "), long...), "\n\n"...)
	frames := &frameReader{lines: bufio.NewReader(bytes.NewReader(stream)), alive: func() {}}
	frame, err := frames.next()
	require.NoError(t, err)
	require.Equal(t, long, frame.data)
}
