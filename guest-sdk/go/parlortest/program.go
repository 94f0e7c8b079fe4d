package parlortest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// program is `parlor room` with one component. It is used by one test at a time, and then by the next one.
type program struct {
	file   string
	input  io.WriteCloser
	output *bufio.Reader
	ended  func() error
	broken bool
}

// idle is the programs that no test uses at the moment. They end with the test program, which closes their input.
var idle struct {
	sync.Mutex
	programs []*program
}

// built builds the plugin, once a test program.
var built = sync.OnceValues(build)

func parlor() string {
	if named := os.Getenv("PARLOR"); named != "" {
		return named
	}
	return "parlor"
}

// missing says what to do where the program cannot be run.
func missing(err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("parlor is missing: put it into PATH, or name it in the variable PARLOR (%w)", err)
	}
	return err
}

func build() (string, error) {
	folder, err := pluginFolder()
	if err != nil {
		return "", err
	}
	out := filepath.Join(folder, "target", "test")
	if err := os.RemoveAll(out); err != nil {
		return "", err
	}
	command := exec.Command(parlor(), "build", folder, "--out", out)
	if words, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the plugin does not build: %w\n%s", missing(err), words)
	}
	files, err := filepath.Glob(filepath.Join(out, "*.wasm"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("`parlor build` made %d components of %s", len(files), folder)
	}
	return files[0], nil
}

// pluginFolder is the folder of the plugin.toml, from that of the test upwards.
func pluginFolder() (string, error) {
	begin, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for folder := begin; ; folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "plugin.toml")); err == nil {
			return folder, nil
		}
		if folder == filepath.Dir(folder) {
			return "", fmt.Errorf("no plugin.toml is in %s or above it", begin)
		}
	}
}

// start takes a program that is idle, or starts one.
func start(file string) (*program, error) {
	idle.Lock()
	for i, found := range idle.programs {
		if found.file == file {
			idle.programs = append(idle.programs[:i], idle.programs[i+1:]...)
			idle.Unlock()
			return found, nil
		}
	}
	idle.Unlock()
	command := exec.Command(parlor(), "room", file, "--stdio")
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, missing(err)
	}
	return &program{file: file, input: input, output: bufio.NewReader(output), ended: command.Wait}, nil
}

func (program *program) giveBack() {
	if program.broken {
		_ = program.input.Close()
		_ = program.ended()
		return
	}
	idle.Lock()
	idle.programs = append(idle.programs, program)
	idle.Unlock()
}

// step makes one step; its result, or what went wrong.
func (program *program) step(verb string, value any) (json.RawMessage, error) {
	step := any(verb)
	if value != nil {
		step = M{verb: value}
	}
	line, err := json.Marshal(step)
	if err != nil {
		return nil, err
	}
	if _, err := program.input.Write(append(line, '\n')); err != nil {
		program.broken = true
		return nil, fmt.Errorf("`parlor room` ended; its last words are above (%w)", err)
	}
	said, err := program.output.ReadBytes('\n')
	if err != nil {
		program.broken = true
		return nil, fmt.Errorf("`parlor room` ended; its last words are above (%w)", err)
	}
	var answer struct {
		Ok    json.RawMessage `json:"ok"`
		Error *string         `json:"error"`
	}
	if err := json.Unmarshal(said, &answer); err != nil {
		return nil, err
	}
	if answer.Error != nil {
		return nil, errors.New(*answer.Error)
	}
	return answer.Ok, nil
}
