"""Runs the project once a day on Airflow 3. The job holds its own state: a retry or a second run is safe."""

from datetime import timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset

customers = Asset("s3://example-bucket/customers/latest", name="customers")

with DAG(
    "customers",
    schedule="0 4 * * *",
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 3,
        "retry_delay": timedelta(minutes=5),
        "retry_exponential_backoff": True,
    },
) as dag:
    # Exit code 99 (nothing changed) marks the task as skipped, so that nothing downstream runs.
    # STAMMKUNDE_KEY_SECRET and STAMMKUNDE_WAREHOUSE come from the worker's environment.
    BashOperator(
        task_id="run",
        bash_command="stammkunde run --exit-99-when-unchanged ",
        cwd="/opt/airflow/customers",
        append_env=True,
        skip_on_exit_code=[99],
        outlets=[customers],
    )
