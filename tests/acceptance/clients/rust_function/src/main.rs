//! A function on lambda_runtime: answers, fails, panics, streams or ends, as its event says.
use lambda_runtime::{run, service_fn, Error, LambdaEvent};
use serde_json::{json, Value};

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    println!("handling {event}");
    match event.as_str() {
        Some("fail") => return Err("no such name".into()),
        Some("panic") => panic!("at the disco"),
        Some("exit") => std::process::exit(3),
        _ => {}
    }
    Ok(json!({
        "event": event,
        "requestId": context.request_id,
        "arn": context.invoked_function_arn,
        "name": context.env_config.function_name,
        "memoryMb": context.env_config.memory,
        "deadline": context.deadline > 0,
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handle)).await
}
