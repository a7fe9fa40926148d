package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/e2e/rig"
	"github.com/the-cyber-boardroom/MGraph-AI__Service__Deploy/tests/standin"
)

// kit is the programs under test.
var kit *rig.Kit

func TestMain(m *testing.M) {
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func build() error {
	root, err := standin.Root()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	kit, err = rig.Build(ctx, filepath.Join(root, "build", "e2e"+rig.Flavour), "noop", "aws", "github")
	return err
}
