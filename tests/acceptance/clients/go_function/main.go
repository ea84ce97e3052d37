// A function on aws-lambda-go: answers, logs, fails, panics, streams, as its event says.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type answer struct {
	Event     string `json:"event"`
	RequestID string `json:"requestId"`
	ARN       string `json:"arn"`
	Name      string `json:"name"`
	MemoryMB  int    `json:"memoryMb"`
	Deadline  bool   `json:"deadline"`
	Trace     string `json:"trace"`
	Custom    string `json:"custom"`
	Count     int    `json:"count"`
}

type customError struct{}

func (customError) Error() string { return "of its own type" }

var count int

func handle(ctx context.Context, event string) (any, error) {
	count++
	fmt.Println("handling", event)
	switch event {
	case "fail":
		return nil, errors.New("no such name")
	case "custom":
		return nil, customError{}
	case "panic":
		panic("at the disco")
	case "exit":
		os.Exit(3)
	case "stream":
		return &events.LambdaFunctionURLStreamingResponse{Body: strings.NewReader("in pieces")}, nil
	}
	about, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	return answer{
		Event:     event,
		RequestID: about.AwsRequestID,
		ARN:       about.InvokedFunctionArn,
		Name:      lambdacontext.FunctionName,
		MemoryMB:  lambdacontext.MemoryLimitInMB,
		Deadline:  time.Until(deadline) > 0,
		Trace:     os.Getenv("_X_AMZN_TRACE_ID"),
		Custom:    about.ClientContext.Custom["a"],
		Count:     count,
	}, nil
}

func main() {
	lambda.Start(handle)
}
