// An external extension: registers, subscribes to the Telemetry API, and prints the type of each event it is sent.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

func call(method, path string, headers map[string]string, body any) (*http.Response, map[string]any) {
	encoded, _ := json.Marshal(body)
	request, err := http.NewRequest(method, "http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+path, bytes.NewReader(encoded))
	if err != nil {
		panic(err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	answer := map[string]any{}
	text, _ := io.ReadAll(response.Body)
	_ = json.Unmarshal(text, &answer)
	if response.StatusCode != http.StatusOK {
		panic(fmt.Sprintf("%s %s: %d %s", method, path, response.StatusCode, text))
	}
	return response, answer
}

func receive(writer http.ResponseWriter, request *http.Request) {
	var events []map[string]any
	if err := json.NewDecoder(request.Body).Decode(&events); err != nil {
		panic(err)
	}
	for _, event := range events {
		fmt.Println("go extension was told", event["type"])
	}
}

func main() {
	listener, err := net.Listen("tcp", "sandbox:4323")
	if err != nil {
		panic(err)
	}
	go func() { panic(http.Serve(listener, http.HandlerFunc(receive))) }()
	response, _ := call("POST", "/2020-01-01/extension/register",
		map[string]string{"Lambda-Extension-Name": filepath.Base(os.Args[0])},
		map[string]any{"events": []string{"INVOKE", "SHUTDOWN"}})
	me := map[string]string{"Lambda-Extension-Identifier": response.Header.Get("Lambda-Extension-Identifier")}
	call("PUT", "/2022-07-01/telemetry", me, map[string]any{
		"schemaVersion": "2022-12-13",
		"types":         []string{"platform", "function"},
		"buffering":     map[string]int{"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
		"destination":   map[string]string{"protocol": "HTTP", "URI": "http://sandbox:4323"},
	})
	for {
		_, event := call("GET", "/2020-01-01/extension/event/next", me, nil)
		if event["eventType"] == "SHUTDOWN" {
			fmt.Println("go extension ends:", event["shutdownReason"])
			return
		}
	}
}
